// Shared by the shaders of the photo look.
const int SKIN = 0, EYE = 1, MOUTH = 2, HAIR = 3, CLOTH = 4, METAL = 5, GLASS = 6;
const float PI = 3.14159265;

uniform vec3 eye_point;            // of the camera
uniform vec3 key_direction, key_colour;
uniform float key_radius;
uniform vec3 sky, ground;
uniform vec3 fill_direction, fill_colour;
uniform vec3 rim_direction, rim_colour;
uniform vec3 skull;                // its centre

vec3 to_linear(vec3 c) {
    return mix(c / 12.92, pow((c + 0.055) / 1.055, vec3(2.4)), step(vec3(0.04045), c));
}

vec3 to_srgb(vec3 c) {
    c = clamp(c, 0.0, 1.0);
    return mix(c * 12.92, 1.055 * pow(c, vec3(1.0 / 2.4)) - 0.055, step(vec3(0.0031308), c));
}

float luminance(vec3 c) { return dot(c, vec3(0.2126, 0.7152, 0.0722)); }

float hash(ivec3 p) {
    uint h = uint(p.x) * 1597334677u ^ uint(p.y) * 3812015801u ^ uint(p.z) * 2798796415u;
    h = (h ^ (h >> 16)) * 0x7feb352du;
    h = (h ^ (h >> 15)) * 0x846ca68bu;
    return float((h ^ (h >> 16)) & 0xffffffu) / 16777216.0;
}

// Value noise in [0, 1] on a unit grid; xyz: its gradient, w: its value.
vec4 noise(vec3 x) {
    ivec3 i = ivec3(floor(x));
    vec3 f = x - vec3(i);
    vec3 u = f * f * f * (f * (f * 6.0 - 15.0) + 10.0);
    vec3 du = 30.0 * f * f * (f * (f - 2.0) + 1.0);
    float a = hash(i), b = hash(i + ivec3(1, 0, 0)), c = hash(i + ivec3(0, 1, 0)), d = hash(i + ivec3(1, 1, 0));
    float e = hash(i + ivec3(0, 0, 1)), g = hash(i + ivec3(1, 0, 1)), h = hash(i + ivec3(0, 1, 1)), k = hash(i + ivec3(1, 1, 1));
    float k1 = b - a, k2 = c - a, k3 = e - a;
    float k4 = a - b - c + d, k5 = a - c - e + h, k6 = a - b - e + g, k7 = -a + b + c - d + e - g - h + k;
    float value = a + k1 * u.x + k2 * u.y + k3 * u.z + k4 * u.x * u.y + k5 * u.y * u.z + k6 * u.z * u.x + k7 * u.x * u.y * u.z;
    vec3 slope = du * vec3(k1 + k4 * u.y + k6 * u.z + k7 * u.y * u.z,
                           k2 + k5 * u.z + k4 * u.x + k7 * u.z * u.x,
                           k3 + k6 * u.x + k5 * u.y + k7 * u.x * u.y);
    return vec4(slope, value);
}

// Noise of one wavelength (metres) on the body at rest, faded out before the sample grid could alias it:
// xyz slope (height of wavelength * amplitude), w value around 0.
vec4 octave(vec3 rest, float wavelength, float footprint, vec3 offset) {
    float keep = smoothstep(2.0, 4.5, wavelength / footprint);
    if (keep <= 0.0) return vec4(0.0);
    vec4 n = noise(rest / wavelength + offset);
    return vec4(n.xyz, n.w - 0.5) * keep;
}

// Direction of the head of hair as a whole, so that shading and sheen follow the head and not each lock.
vec3 of_the_whole(vec3 n, vec3 place, float share) {
    vec3 out_ = place - skull;
    float near = smoothstep(0.22, 0.12, length(out_)) * share;
    return normalize(mix(n, normalize(out_), near));
}

// What a mirror sees in direction d: sky and ground, and the key as a soft rectangle.
vec3 surroundings(vec3 d, float blur) {
    float up = smoothstep(-0.35 - blur, 0.35 + blur, d.y);
    vec3 colour = mix(ground, sky, up);
    float facing = dot(d, key_direction);
    vec3 side = normalize(cross(vec3(0.0, 1.0, 0.0), key_direction) + vec3(1e-5, 0.0, 0.0));
    vec2 at = vec2(dot(d, side), dot(d, cross(key_direction, side))) / max(facing, 0.05);
    vec2 half_size = vec2(0.8, 1.0) * max(key_radius, 0.12);
    vec2 inside = smoothstep(half_size + 0.06 + blur, half_size - 0.04 - blur, abs(at));
    float spread = (half_size.x * half_size.y) / ((half_size.x + blur) * (half_size.y + blur));
    if (facing > 0.0) colour += key_colour * inside.x * inside.y * spread * 1.6;
    return colour;
}
