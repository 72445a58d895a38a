#version 330
// Depth alone, for the shadow map: only holes in the coverage count.
uniform sampler2D image;
uniform bool has_image;
in vec2 uv;

void main() {
    if (has_image && texture(image, vec2(uv.x, 1.0 - uv.y)).a < 0.5) discard;
}
