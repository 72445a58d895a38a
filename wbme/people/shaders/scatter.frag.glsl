#version 330
// Light that wanders under the skin: a blur of the light along one axis, widest in red (after the screen-space
// subsurface scattering of Jimenez et al. 2009), held back at edges in depth.
uniform sampler2D lights;
uniform sampler2D positions;
uniform vec2 axis;
uniform float pixels_per_radian;
out vec4 light;

const int TAPS = 6;
const vec3 WIDTHS = vec3(0.0026, 0.0012, 0.0008);  // standard deviations in metres: red, green, blue
const vec3 NEAR_SHARE = vec3(0.25, 0.35, 0.40);    // stays where it is

void main() {
    ivec2 p = ivec2(gl_FragCoord.xy);
    vec4 here = texelFetch(lights, p, 0);
    light = here;
    if (here.a <= 0.0) return;
    float depth = texelFetch(positions, p, 0).w;
    float scale = pixels_per_radian / depth * here.a;
    float stride = WIDTHS.r * 2.2 * scale / float(TAPS);
    if (stride < 0.15) return;
    ivec2 limit = textureSize(lights, 0) - 1;
    vec3 sum = here.rgb, weights = vec3(1.0);
    for (int i = 1; i <= TAPS; ++i) {
        float reach = (float(i)) * stride;
        vec3 w = exp(-0.5 * pow(vec3(reach) / (WIDTHS * scale), vec3(2.0)));
        for (int side = -1; side <= 1; side += 2) {
            ivec2 q = clamp(p + ivec2(round(axis * reach * float(side))), ivec2(0), limit);
            vec4 there = texelFetch(lights, q, 0);
            float d = texelFetch(positions, q, 0).w;
            float like = there.a > 0.3 ? exp(-abs(d - depth) * 90.0) : 0.0;
            sum += there.rgb * w * like;
            weights += w * like;
        }
    }
    light.rgb = mix(sum / weights, here.rgb, NEAR_SHARE * 0.5);
}
