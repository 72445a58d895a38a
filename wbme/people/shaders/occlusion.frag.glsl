#version 330
// Ambient occlusion from the visible surface, at the final size: taps on three rings of physical radius.
uniform sampler2D positions;
uniform sampler2D normals;
uniform float pixels_per_radian;  // of the G-buffer
out float open_share;

const float RADII[3] = float[3](0.007, 0.025, 0.09);
const float WEIGHTS[3] = float[3](0.8, 0.9, 0.9);
const int TAPS = 7;

void main() {
    ivec2 q = ivec2(gl_FragCoord.xy);
    ivec2 p = q * 2;
    vec4 here = texelFetch(positions, p, 0);
    if (here.w <= 0.0) { open_share = 1.0; return; }
    vec3 n = texelFetch(normals, p, 0).xyz;
    ivec2 limit = textureSize(positions, 0) - 1;
    int cell = (q.x & 3) * 4 + (q.y & 3);
    float turn = float((cell * 7) & 15) / 16.0 * 6.2831853;
    float occluded = 0.0;
    for (int ring = 0; ring < 3; ++ring) {
        float reach = RADII[ring] * pixels_per_radian / here.w;
        if (reach < 1.5) continue;
        float sum = 0.0;
        for (int i = 0; i < TAPS; ++i) {
            float a = turn + float(i) * 2.39996323;
            float r = sqrt((float(i) + 0.6) / float(TAPS)) * reach;
            ivec2 s = p + ivec2(vec2(cos(a), sin(a)) * r);
            vec4 there = texelFetch(positions, clamp(s, ivec2(0), limit), 0);
            if (there.w <= 0.0) continue;
            vec3 v = there.xyz - here.xyz;
            float d = length(v) + 1e-5;
            float up = max(dot(n, v) / d - 0.06, 0.0);
            float near = d / (RADII[ring] * 1.4);
            sum += up / (1.0 + near * near * near * near);
        }
        occluded += WEIGHTS[ring] * sum / float(TAPS);
    }
    open_share = clamp(1.0 - occluded * 1.25, 0.0, 1.0);
}
