#version 330
// What lies at each sample, without light.
uniform sampler2D image;
uniform usampler2D label_image;
uniform bool has_image;
uniform bool has_labels;
uniform bool has_tangents;
uniform int part;
uniform int material;
uniform float spread;  // of the coverage threshold between neighbouring samples; thin things are kept sharp

in vec3 position;
in vec3 normal;
in vec3 rest;
in vec2 uv;
in vec3 albedo;
in vec3 tangent;
in float smoothness;
flat in float label;
flat in float clump;
uniform mat4 view;

layout(location = 0) out vec4 out_albedo;
layout(location = 1) out vec4 out_position;
layout(location = 2) out vec4 out_normal;
layout(location = 3) out vec4 out_rest;
layout(location = 4) out vec4 out_tangent;
layout(location = 5) out vec2 out_uv;
layout(location = 6) out uvec4 out_marks;

void main() {
    vec4 colour = vec4(1.0);
    vec2 at = vec2(uv.x, 1.0 - uv.y);
    if (has_image) colour = texture(image, at, -2.0 * spread);
    ivec2 cell = ivec2(gl_FragCoord.xy) & 1;
    float step = float(cell.x * 2 + (cell.x ^ cell.y)) / 3.0 - 0.5;  // -.5 .. .5, one of each in a pixel
    if (colour.a < 0.5 + (step - 0.10) * spread) discard;
    vec3 n = normalize(normal);
    if (!gl_FrontFacing) n = -n;
    uint mark = uint(label + 0.5);
    if (has_labels) {
        ivec2 extent = textureSize(label_image, 0);
        uint other = texelFetch(label_image, clamp(ivec2(at * vec2(extent)), ivec2(0), extent - 1), 0).r;
        if (other != 0u) mark = other;
    }
    out_albedo = vec4(albedo * colour.rgb, 1.0);
    out_position = vec4(position, -(view * vec4(position, 1.0)).z);
    out_normal = vec4(n, smoothness);
    out_rest = vec4(rest, 1.0);
    out_tangent = vec4(has_tangents ? normalize(tangent + vec3(1e-9)) : vec3(0.0), clump);
    out_uv = uv;
    out_marks = uvec4(mark, uint(part), uint(material), gl_FrontFacing ? 1u : 0u);
}
