#version 330
// Light that falls on each sample and leaves it diffusely (without albedo), and the direction of its surface
// with pores, weave and folds.
#include "common"
uniform sampler2D positions;
uniform sampler2D normals;
uniform sampler2D rests;
uniform sampler2D tangents;
uniform usampler2D marks;
uniform sampler2D shadows;
uniform sampler2D occlusion;
uniform float pixels_per_radian;
uniform float relief;                 // of this person's skin, about 1
uniform vec3 iris_centres[2];
uniform vec3 gazes[2];
uniform float iris_radius;
uniform vec3 upper_lids[2];
uniform vec3 head_up;

layout(location = 0) out vec4 out_light;    // rgb; a: how far light scatters under the surface, 0..1
layout(location = 1) out vec4 out_normal;   // xyz; w: open share

vec3 wrapped(float cosine, vec3 wrap) {
    vec3 c = clamp((vec3(cosine) + wrap) / (1.0 + wrap), 0.0, 1.0);
    return c / (1.0 + wrap * 0.5);
}

void main() {
    ivec2 p = ivec2(gl_FragCoord.xy);
    vec4 here = texelFetch(positions, p, 0);
    if (here.w <= 0.0) { out_light = vec4(0.0); out_normal = vec4(0.0); return; }
    uvec4 mark = texelFetch(marks, p, 0);
    int material = int(mark.b);
    int label = int(mark.r);
    vec3 n = texelFetch(normals, p, 0).xyz;
    vec3 rest = texelFetch(rests, p, 0).xyz;
    vec3 view = normalize(eye_point - here.xyz);
    if (material == MOUTH && dot(n, view) < 0.0) n = -n;  // the teeth's triangles are wound both ways
    float facing = clamp(dot(n, view), 0.15, 1.0);
    float footprint = here.w / pixels_per_radian / facing;
    vec3 bump = vec3(0.0);
    if (material == SKIN) {
        float lips = (label == 12 || label == 13) ? 1.0 : 0.0;
        bump += 0.012 * octave(rest, 0.0110, footprint, vec3(3.0)).xyz;
        bump += 0.022 * octave(rest, 0.0045, footprint, vec3(17.0)).xyz;
        bump += 0.085 * octave(rest, 0.0021, footprint, vec3(41.0)).xyz;
        bump += 0.150 * octave(rest, 0.0011, footprint, vec3(77.0)).xyz;
        bump *= relief * mix(1.0, 0.5, lips);
        if (lips > 0.0) {
            vec4 fold = octave(rest * vec3(1.0, 0.25, 0.25), 0.0016, footprint, vec3(9.0));
            bump += 0.16 * fold.xyz;
        }
    } else if (material == CLOTH) {
        vec3 bent = rest + 0.02 * (noise(rest / 0.09 + vec3(5.0)).xyz);
        bump += 0.19 * octave(bent * vec3(1.0, 0.6, 1.0), 0.060, footprint, vec3(1.0)).xyz;
        bump += 0.09 * octave(bent, 0.024, footprint, vec3(31.0)).xyz;
        bump += 0.06 * octave(rest, 0.0032, footprint, vec3(2.0)).xyz;
        bump += 0.12 * octave(rest, 0.0016, footprint, vec3(8.0)).xyz;
    }
    if (material == HAIR) n = of_the_whole(n, here.xyz, 0.4);
    vec3 rough = normalize(n - (bump - n * dot(bump, n)));
    float open_share = texture(occlusion, (gl_FragCoord.xy) / vec2(textureSize(positions, 0))).r;
    float shadow = texelFetch(shadows, p, 0).r;
    vec3 soft = normalize(mix(n, rough, material == SKIN ? 0.55 : 1.0));
    float key = dot(soft, key_direction);
    vec3 wrap = vec3(key_radius * 0.35);
    float scatter = 0.0;
    vec3 blocked = vec3(shadow);
    vec3 bounce = vec3(open_share);
    if (material == SKIN) {
        wrap += vec3(0.22, 0.08, 0.05);
        scatter = (label == 12 || label == 13) ? 0.7 : 1.0;
        bounce = pow(vec3(open_share), vec3(0.70, 1.0, 1.10));
    } else if (material == HAIR) {
        wrap += 0.35;
        scatter = 0.0;
    } else if (material == CLOTH) {
        wrap += 0.10;
    } else if (material == MOUTH) {
        blocked = vec3(mix(0.65, 1.0, shadow));  // teeth pass light on among themselves: lips shade them softly
        bounce = vec3(max(open_share, 0.8));
        wrap += 0.6;
    }
    vec3 light = key_colour * wrapped(key, wrap) * blocked * mix(vec3(1.0), bounce, 0.35);
    if (material == HAIR) {
        vec3 t = texelFetch(tangents, p, 0).xyz;
        if (dot(t, t) > 0.1) {
            float along = dot(normalize(t), key_direction);
            float ring = sqrt(max(1.0 - along * along, 0.0));
            light *= mix(1.0, ring, 0.45);
        }
    }
    vec3 around = mix(ground, sky, clamp(0.5 + 0.5 * soft.y, 0.0, 1.0)) * bounce;
    vec3 fill = fill_colour * wrapped(dot(soft, fill_direction), vec3(0.6)) * bounce;
    vec3 rim = rim_colour * wrapped(dot(soft, rim_direction), vec3(0.08)) * smoothstep(0.2, 0.8, open_share);
    light += around + fill + rim;
    vec3 surface = rough;
    if (material == EYE) {
        int side = distance(here.xyz, iris_centres[0]) < distance(here.xyz, iris_centres[1]) ? 0 : 1;
        vec3 gaze = gazes[side];
        vec3 d = here.xyz - iris_centres[side];
        vec3 e = (d - gaze * dot(d, gaze)) / iris_radius;
        float r = length(e);
        float cornea = 1.0 - smoothstep(0.92, 1.18, r);
        vec3 slope = e / max(r, 1e-3);
        float s = min(r * 0.72, 0.8);
        surface = normalize(mix(n, normalize(gaze * sqrt(1.0 - s * s) + slope * s), cornea));
        float below = dot(upper_lids[side] - here.xyz, head_up);
        float lid = mix(0.52, 1.0, smoothstep(-0.0005, 0.0040, below));
        float caustic = 1.0 + 0.55 * cornea * clamp(dot(e, -key_direction), -0.7, 1.0);
        // The ball lies deep in its socket: screen-space occlusion is too dark for something that wet.
        light = (key_colour * wrapped(dot(n, key_direction), vec3(0.45)) * mix(0.55, 1.0, shadow)
                 + around / max(bounce, 0.2) * mix(0.6, 1.0, open_share) + fill) * lid * caustic * 0.96;
        scatter = 0.25;
    } else if (material == MOUTH) {
        light *= 0.86;
    }
    out_light = vec4(light, scatter);
    out_normal = vec4(surface, open_share);
}
