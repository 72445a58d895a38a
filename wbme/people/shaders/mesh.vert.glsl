#version 330
// A mesh's vertices into the picture; y is turned over so that the first row of a target is the top.
uniform mat4 view_projection;
uniform mat4 view;
uniform float push;  // metres that the depth is pushed away, so that cloth wins over the skin under it

in vec3 in_position;
in vec3 in_normal;
in vec3 in_rest;
in vec2 in_uv;
in vec3 in_albedo;
in vec3 in_tangent;
in vec3 in_marks;  // label, smooth, clump

out vec3 position;
out vec3 normal;
out vec3 rest;
out vec2 uv;
out vec3 albedo;
out vec3 tangent;
out float smoothness;
flat out float label;
flat out float clump;

void main() {
    position = in_position;
    normal = in_normal;
    rest = in_rest;
    uv = in_uv;
    albedo = in_albedo;
    tangent = in_tangent;
    label = in_marks.x;
    smoothness = in_marks.y;
    clump = in_marks.z;
    vec4 clip = view_projection * vec4(in_position, 1.0);
    vec4 seen = view * vec4(in_position, 1.0);
    seen.xyz *= 1.0 + push / max(length(seen.xyz), 1e-3);
    vec4 pushed = view_projection * (inverse(view) * seen);
    clip.z = pushed.z / pushed.w * clip.w;
    gl_Position = vec4(clip.x, -clip.y, clip.z, clip.w);
}
