#version 330
// Share of the key light that reaches each sample: percentage-closer soft shadows (Fernando 2005).
uniform sampler2D positions;
uniform sampler2D normals;
uniform sampler2D depths;           // of the light
uniform mat4 light_matrix;          // scene -> light's texture, 0..1 (not turned over)
uniform vec3 direction;             // towards the light
uniform float texel;                // metres
uniform float depth_range;          // metres between 0 and 1 of the map
uniform float light_radius;         // tangent of half the angle under which the light appears
out float lit;

const int SEARCH = 10;
const int NARROW_TAPS = 8;
const int WIDE_TAPS = 24;

vec2 vogel(int i, int count, float turn) {
    float r = sqrt((float(i) + 0.5) / float(count));
    float a = float(i) * 2.39996323 + turn;
    return r * vec2(cos(a), sin(a));
}

float compare(vec2 at, float depth) {  // bilinear over four comparisons
    vec2 p = at * 2048.0 - 0.5;
    ivec2 q = ivec2(floor(p));
    vec2 f = p - vec2(q);
    float a = step(depth, texelFetch(depths, q, 0).r), b = step(depth, texelFetch(depths, q + ivec2(1, 0), 0).r);
    float c = step(depth, texelFetch(depths, q + ivec2(0, 1), 0).r), d = step(depth, texelFetch(depths, q + ivec2(1, 1), 0).r);
    return mix(mix(a, b, f.x), mix(c, d, f.x), f.y);
}

void main() {
    ivec2 p = ivec2(gl_FragCoord.xy);
    vec4 here = texelFetch(positions, p, 0);
    if (here.w <= 0.0) { lit = 1.0; return; }
    vec3 n = texelFetch(normals, p, 0).xyz;
    float facing = dot(n, direction);
    if (facing <= -0.05) { lit = 0.0; return; }
    float slope = sqrt(max(1.0 - facing * facing, 0.0));
    vec3 origin = here.xyz + n * (texel * 1.5 + 0.0012) * (0.3 + slope);
    vec3 q = (light_matrix * vec4(origin, 1.0)).xyz;
    if (any(lessThan(q.xy, vec2(0.003))) || any(greaterThan(q.xy, vec2(0.997)))) { lit = 1.0; return; }
    float span = 1.0 / (texel * 2048.0);  // texture units a metre
    float bias = (0.0006 + texel) / depth_range;
    float turn = 6.2831853 * fract(52.9829189 * fract(dot(vec2(p & 3), vec2(0.06711056, 0.00583715))));
    float search = clamp(light_radius * 0.14, texel * 2.0, 0.03);
    float total = 0.0, count = 0.0;
    for (int i = 0; i < SEARCH; ++i) {
        float d = texture(depths, q.xy + vogel(i, SEARCH, turn) * search * span).r;
        if (d < q.z - bias - search * 0.15 / depth_range) { total += d; count += 1.0; }
    }
    if (count == 0.0) { lit = 1.0; return; }
    float radius = texel * 1.2;
    radius = max(radius, min((q.z - total / count) * depth_range * light_radius, 0.03));
    float sum = 0.0;
    float soft_bias = bias + radius * 0.35 * min(slope / max(facing, 0.15), 2.0) / depth_range;
    bool wide = radius > texel * 5.0;
    int taps = wide ? WIDE_TAPS : NARROW_TAPS;
    for (int i = 0; i < taps; ++i) {
        vec2 at = q.xy + vogel(i, taps, turn) * radius * span;
        sum += wide ? step(q.z - soft_bias, texture(depths, at).r) : compare(at, q.z - soft_bias);
    }
    lit = sum / float(taps);
}
