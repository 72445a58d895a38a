#version 330
in vec2 at;
void main() { gl_Position = vec4(at, 0.0, 1.0); }
