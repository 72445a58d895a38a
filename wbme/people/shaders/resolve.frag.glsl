#version 330
// Samples to pixels: a filter of 4 x 4 samples; straight alpha, sRGB.
#include "common"
uniform sampler2D colours;
uniform sampler2D lenses;
uniform sampler2D shades;
uniform sampler2D albedos;
layout(location = 0) out vec4 out_photo;
layout(location = 1) out float out_shading;
layout(location = 2) out vec4 out_albedo;

const float WEIGHTS[4] = float[4](0.06, 0.44, 0.44, 0.06);

void main() {
    ivec2 corner = ivec2(gl_FragCoord.xy) * 2 - 1;
    ivec2 limit = textureSize(colours, 0) - 1;
    vec4 sum = vec4(0.0);
    vec3 albedo = vec3(0.0);
    float shade = 0.0;
    for (int y = 0; y < 4; ++y)
        for (int x = 0; x < 4; ++x) {
            ivec2 q = clamp(corner + ivec2(x, y), ivec2(0), limit);
            float w = WEIGHTS[x] * WEIGHTS[y];
            vec4 c = texelFetch(colours, q, 0);
            vec4 glass = texelFetch(lenses, q, 0);
            c = glass + c * (1.0 - glass.a);
            sum += w * c;
            shade += w * texelFetch(shades, q, 0).r;
            vec4 a = texelFetch(albedos, q, 0);
            albedo += w * to_linear(a.rgb) * a.a;
        }
    float cover = max(sum.a, 1e-4);
    out_photo = vec4(to_srgb(sum.rgb / cover), sum.a);
    out_shading = to_srgb(vec3(shade / cover)).r;
    out_albedo = vec4(to_srgb(albedo / cover), 1.0);
}
