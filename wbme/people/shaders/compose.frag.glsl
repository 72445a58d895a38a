#version 330
// The photo look of each sample: albedo times light, and what glints; exposed, linear, premultiplied.
#include "common"
uniform sampler2D albedos;
uniform sampler2D positions;
uniform sampler2D normals;        // of the G-buffer
uniform sampler2D surfaces;       // with relief, w: open share
uniform sampler2D rests;
uniform sampler2D tangents;
uniform sampler2D uvs;
uniform usampler2D marks;
uniform sampler2D shadows;
uniform sampler2D lights;
uniform mat4 to_head;             // scene -> the head's frame, metres
uniform vec3 iris_centres[2];
uniform vec3 lower_lids[2];
uniform vec3 head_up;
uniform vec3 catch_direction;
uniform float exposure;
uniform float oil;                // of this person's skin, about 1
uniform float pixels_per_radian;

layout(location = 0) out vec4 out_colour;
layout(location = 1) out float out_shading;

vec3 exposed(vec3 c) {  // straight up to .55, then a shoulder towards 1
    c *= exposure;
    return mix(c, 0.55 + 0.45 * (1.0 - exp(-(c - 0.55) / 0.45)), step(vec3(0.55), c));
}

// GGX lobe (Walter et al. 2007) times the cosine, with Schlick's Fresnel; the light's size widens the lobe.
float lobe(vec3 n, vec3 v, vec3 l, float roughness, float f0) {
    vec3 h = normalize(v + l);
    float nl = dot(n, l);
    if (nl <= 0.0) return 0.0;
    float nh = max(dot(n, h), 0.0), nv = max(dot(n, v), 0.08), vh = max(dot(v, h), 0.0);
    float a = roughness * roughness;
    float d = nh * nh * (a * a - 1.0) + 1.0;
    float distribution = a * a / (PI * d * d);
    float k = a * 0.5;
    float visible = 1.0 / ((nl * (1.0 - k) + k) * (nv * (1.0 - k) + k));
    float fresnel = f0 + (1.0 - f0) * pow(1.0 - vh, 5.0);
    return distribution * visible * fresnel * 0.25 * nl * PI;
}

vec3 glints(vec3 n, vec3 v, float roughness, float f0, float shadow, float open_share) {
    float wide = sqrt(roughness * roughness + key_radius * key_radius * 0.25);
    vec3 c = key_colour * lobe(n, v, key_direction, wide, f0) * shadow;
    c += fill_colour * lobe(n, v, fill_direction, max(wide, 0.5), f0) * open_share;
    c += rim_colour * lobe(n, v, rim_direction, max(wide, 0.4), f0) * smoothstep(0.2, 0.8, open_share);
    return c;
}

float strand(float tangent_half, float power) {
    return pow(sqrt(max(1.0 - tangent_half * tangent_half, 0.0)), power);
}

vec3 hair_glints(vec3 t, vec3 n, vec3 v, vec3 l, vec3 albedo, float jitter) {
    vec3 h = normalize(v + l);
    float first = strand(dot(normalize(t + n * (-0.10 + jitter)), h), 110.0);
    float second = strand(dot(normalize(t + n * (0.14 + jitter * 1.4)), h), 26.0);
    float facing = smoothstep(-0.25, 0.5, dot(n, l));
    return (vec3(0.065) * first + (albedo * 1.3 + 0.005) * 0.50 * second) * facing;
}

void main() {
    ivec2 p = ivec2(gl_FragCoord.xy);
    vec4 here = texelFetch(positions, p, 0);
    if (here.w <= 0.0) { out_colour = vec4(0.0); out_shading = 0.0; return; }
    uvec4 mark = texelFetch(marks, p, 0);
    int material = int(mark.b), label = int(mark.r);
    vec3 albedo = to_linear(texelFetch(albedos, p, 0).rgb);
    vec4 surface = texelFetch(surfaces, p, 0);
    vec3 n = surface.xyz;
    vec3 smooth_normal = texelFetch(normals, p, 0).xyz;
    float open_share = surface.w;
    vec3 light = texelFetch(lights, p, 0).rgb;
    float shadow = texelFetch(shadows, p, 0).r;
    vec3 rest = texelFetch(rests, p, 0).xyz;
    vec3 v = normalize(eye_point - here.xyz);
    float nv = clamp(dot(n, v), 0.0, 1.0);
    float edge = pow(1.0 - clamp(dot(smooth_normal, v), 0.0, 1.0), 4.0);
    float footprint = here.w / pixels_per_radian / max(nv, 0.15);
    if (material == SKIN) {  // light that comes back late has met more blood: shadows are redder, not greyer
        vec3 deep = albedo * albedo / max(luminance(albedo), 0.02);
        float late = 0.30 * (1.0 - open_share) + 0.32 * (1.0 - smoothstep(0.1, 0.75, luminance(light)));
        albedo = mix(albedo, deep * vec3(1.10, 0.97, 0.95), late);
    }
    vec3 colour = albedo * light;
    out_shading = luminance(light);
    vec3 mirror = reflect(-v, n);

    if (material == SKIN) {
        vec3 head = (to_head * vec4(here.xyz, 1.0)).xyz;
        bool lips = label == 12 || label == 13;
        bool face = label == 1 || label == 10;
        float zone = face ? exp(-pow(head.x / 0.024, 2.0)) : 0.0;
        if (label == 10) zone = 1.0;
        if (face && head.y > 0.025) zone = max(zone, exp(-pow(head.x / 0.045, 2.0)));
        float patch_ = 0.75 + 0.5 * noise(rest / 0.012).w;
        float grease = oil * (0.35 + 1.05 * zone) * patch_;
        // Shine breaks up over pores: each is a small dull pit.
        float pits = clamp(octave(rest, 0.0013, footprint, vec3(5.0)).w * 2.0, 0.0, 1.0)
                   + 0.7 * clamp(octave(rest, 0.0024, footprint, vec3(23.0)).w * 2.0, 0.0, 1.0);
        float cavity = 1.0 - 0.45 * clamp(pits, 0.0, 1.0);
        vec3 shine;
        if (lips) {
            shine = glints(n, v, 0.33, 0.04, shadow, open_share) * 1.2 + surroundings(mirror, 0.35) * 0.03 * open_share;
        } else {
            shine = 0.8 * glints(n, v, 0.50, 0.028, shadow, open_share)
                  + 0.42 * grease * glints(n, v, 0.34, 0.028, shadow, open_share);
            shine *= grease * 0.55 + 0.45;
            // Down on the cheeks, and skin seen along its surface, catch the sky.
            shine += mix(ground, sky, 0.5 + 0.5 * mirror.y) * (0.010 + 0.20 * edge) * open_share * open_share;
        }
        // Exposed for, dark skin would shine like lacquer.
        colour += shine * cavity * mix(0.5, 1.0, smoothstep(0.01, 0.25, luminance(albedo)));
    } else if (material == EYE) {
        vec3 side = normalize(cross(vec3(0.0, 1.0, 0.0), catch_direction));
        float facing = dot(mirror, catch_direction);
        vec2 at = vec2(dot(mirror, side), dot(mirror, cross(catch_direction, side))) / max(facing, 0.05);
        vec2 window = smoothstep(vec2(0.42, 0.52), vec2(0.28, 0.38), abs(at));
        float glint = facing > 0.0 ? window.x * window.y : 0.0;
        vec3 second_direction = normalize(vec3(-catch_direction.x, -0.35, catch_direction.z));
        float second = smoothstep(0.955, 0.99, dot(mirror, second_direction));
        float fresnel = 0.03 + 0.5 * pow(1.0 - nv, 5.0);
        float bright = max(luminance(key_colour), 0.75);
        colour += surroundings(mirror, 0.2) * fresnel * max(open_share, 0.5);
        colour += mix(key_colour, vec3(bright), 0.6) * glint * 1.9 + (fill_colour + 0.25 * sky) * second * 0.55;
        // Tears stand along the lower lid, and a mirror of their own.
        int side_ = distance(here.xyz, iris_centres[0]) < distance(here.xyz, iris_centres[1]) ? 0 : 1;
        float above = dot(here.xyz - lower_lids[side_], head_up);
        float tear = smoothstep(0.0016, 0.0004, above) * smoothstep(-0.0012, 0.0, above);
        colour += (0.30 * key_colour * shadow + 0.25 * sky) * tear * (0.4 + 0.6 * noise(rest / 0.0018).w);
    } else if (material == MOUTH) {
        colour *= mix(0.72, 1.0, smoothstep(0.1, 0.75, open_share));
        colour += glints(n, v, 0.28, 0.035, shadow, open_share) * 0.5 * open_share;
    } else if (material == HAIR) {
        vec3 t = texelFetch(tangents, p, 0).xyz;
        vec2 uv = texelFetch(uvs, p, 0).xy;
        float root = float(mark.g) * 7.3;
        float fine = 0.6 * noise(vec3(uv.x * 34.0, uv.y * 1.6, root)).w + 0.4 * noise(vec3(uv.x * 83.0, uv.y * 2.6, root)).w - 0.5;
        float depth_shade = mix(0.66, 1.0, smoothstep(0.0, 0.22, uv.y));
        float across = 1.0 - 0.22 * pow(abs(uv.x * 2.0 - 1.0), 3.0);  // a lock is round
        colour *= depth_shade * across * (1.0 + 0.22 * fine);
        if (dot(t, t) > 0.1) {
            vec3 whole = of_the_whole(n, here.xyz, 0.55);
            t = normalize(t - whole * dot(t, whole));
            n = whole;
            float jitter = fine * 0.20;
            vec3 shine = key_colour * hair_glints(t, n, v, key_direction, albedo, jitter) * shadow;
            shine += fill_colour * hair_glints(t, n, v, fill_direction, albedo, jitter) * open_share;
            vec3 above = normalize(vec3(0.0, 0.9, 0.45));
            shine += sky * hair_glints(t, n, v, above, albedo, jitter) * 0.32 * open_share;
            shine += rim_colour * hair_glints(t, n, v, rim_direction, albedo, jitter) * open_share;
            float through = pow(max(dot(-v, rim_direction), 0.0), 3.0) * edge;
            shine += rim_colour * albedo * through * 2.0;
            float band = smoothstep(0.05, 0.3, uv.y) * (1.0 - smoothstep(0.5, 0.95, uv.y));
            colour += shine * (0.6 + 0.8 * (fine + 0.5)) * mix(0.35, 1.0, open_share) * mix(0.3, 1.0, band);
        }
    } else if (material == CLOTH) {
        colour += light * (0.10 + 0.5 * albedo) * edge * 0.55;
        colour += glints(n, v, 0.7, 0.03, shadow, open_share) * 0.45;
    } else {
        vec3 f0 = material == METAL ? max(albedo, vec3(0.05)) : vec3(0.05);
        vec3 fresnel = f0 + (1.0 - f0) * pow(1.0 - nv, 5.0);
        if (material == METAL) colour *= 0.25;
        colour += surroundings(mirror, 0.12) * fresnel * open_share;
        colour += key_colour * lobe(n, v, key_direction, 0.3, f0.g) * shadow;
    }
    out_colour = vec4(exposed(colour), 1.0);
    out_shading = exposed(vec3(out_shading * 0.5)).r;
}
