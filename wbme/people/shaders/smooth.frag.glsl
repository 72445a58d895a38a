#version 330
// The turned tap patterns of the occlusion averaged over 4 x 4 pixels of like depth.
uniform sampler2D occlusion;
uniform sampler2D positions;
out float open_share;

void main() {
    ivec2 q = ivec2(gl_FragCoord.xy);
    float depth = texelFetch(positions, q * 2, 0).w;
    ivec2 limit = textureSize(occlusion, 0) - 1;
    float sum = 0.0, weights = 0.0;
    for (int y = -2; y < 2; ++y)
        for (int x = -2; x < 2; ++x) {
            ivec2 s = clamp(q + ivec2(x, y), ivec2(0), limit);
            float d = texelFetch(positions, s * 2, 0).w;
            float w = exp(-abs(d - depth) * 120.0);
            sum += w * texelFetch(occlusion, s, 0).r;
            weights += w;
        }
    open_share = weights > 0.0 ? sum / weights : 1.0;
}
