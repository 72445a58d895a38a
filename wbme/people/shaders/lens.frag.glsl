#version 330
// Clear glass in front of what is there: a reflection and a faint tint; premultiplied, exposed.
#include "common"
uniform float exposure;
in vec3 position;
in vec3 normal;
in vec3 albedo;
layout(location = 0) out vec4 out_colour;

void main() {
    vec3 v = normalize(eye_point - position);
    vec3 n = normalize(normal);
    if (dot(n, v) < 0.0) n = -n;
    float fresnel = 0.05 + 0.95 * pow(1.0 - clamp(dot(n, v), 0.0, 1.0), 5.0);
    vec3 mirror = reflect(-v, n);
    vec3 colour = surroundings(mirror, 0.1) * (fresnel - 0.02) * 0.5 * exposure;
    float tint = 0.03 * (1.0 - luminance(albedo));
    out_colour = vec4(min(colour, vec3(0.9)), clamp((fresnel - 0.05) * 0.3 + tint, 0.0, 0.6));
}
