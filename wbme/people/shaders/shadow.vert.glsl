#version 330
uniform mat4 light_matrix;  // scene -> 0..1 in x, y and depth
in vec3 in_position;
in vec2 in_uv;
out vec2 uv;

void main() {
    uv = in_uv;
    vec3 p = (light_matrix * vec4(in_position, 1.0)).xyz;
    gl_Position = vec4(p * 2.0 - 1.0, 1.0);
}
