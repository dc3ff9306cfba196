"""The shaders that draw Gaussians, in GLSL 3.30 (macOS has no more than 4.1, and neither compute nor SSBO).

A splat takes two steps. PROJECT runs once a Gaussian, as points in drawing order whose results are captured by
transform feedback: place, axes and colour in the picture. SPLAT draws one quad for each of these. So the costly part
(spherical harmonics, the projection of the covariance) is done once, not at each corner of the quad.
"""

from __future__ import annotations

ROW = 2048  # Gaussians in a row of the textures
MAX_ALPHA = 0.999  # as gsplat
MOST_GROWN = 3.0  # times its size is what a Gaussian may grow that stands for others
LOW_PASS = 0.3  # variance in pixels² that the projection adds (3DGS)

VIEWS = ("splats", "centers", "rings")
COLORINGS = ("color", "depth", "label", "value")

# Nearer the camera than this part of the focal distance nothing is drawn: it would cover the whole picture.
NEAR_SHARE = 2e-3

_UNPACK = f"""
const int ROW = {ROW};
ivec2 texel(int i) {{ return ivec2(i % ROW, i / ROW); }}
float low16(uint v) {{ return float(v & 0xffffu) * (1.0 / 65535.0); }}
float high16(uint v) {{ return float(v >> 16) * (1.0 / 65535.0); }}
vec3 signed11(uint v) {{
  return vec3(float(v & 0x7ffu) - 1023.0, float((v >> 11) & 0x7ffu) - 1023.0,
              2.0 * (float(v >> 22) - 511.0)) * (1.0 / 1022.0);
}}
"""

# The basis of 3D Gaussian splatting: the real spherical harmonics with the Condon–Shortley sign.
_HARMONICS = """
uniform usampler2D bandTexels;
uniform int bandStride;   // texels a Gaussian
uvec4 bandQuad;
int bandAt;
vec3 coefficient(int base, int k) {
  if ((k & 3) == 0) bandQuad = texelFetch(bandTexels, ivec2(base + (k >> 2), bandAt), 0);
  int part = k & 3;
  return signed11(part == 0 ? bandQuad.x : part == 1 ? bandQuad.y : part == 2 ? bandQuad.z : bandQuad.w);
}
vec3 harmonics(int id, int degree, vec3 d) {
  int base = (id % ROW) * bandStride;
  bandAt = id / ROW;
  float x = d.x, y = d.y, z = d.z;
  vec3 c = -0.48860251 * y * coefficient(base, 0);
  c += 0.48860251 * z * coefficient(base, 1);
  c += -0.48860251 * x * coefficient(base, 2);
  if (degree < 2) return c;
  float xx = x * x, yy = y * y, zz = z * z, xy = x * y, yz = y * z, xz = x * z;
  c += 1.09254843 * xy * coefficient(base, 3);
  c += -1.09254843 * yz * coefficient(base, 4);
  c += 0.31539157 * (2.0 * zz - xx - yy) * coefficient(base, 5);
  c += -1.09254843 * xz * coefficient(base, 6);
  c += 0.54627422 * (xx - yy) * coefficient(base, 7);
  if (degree < 3) return c;
  c += -0.59004359 * y * (3.0 * xx - yy) * coefficient(base, 8);
  c += 2.89061144 * xy * z * coefficient(base, 9);
  c += -0.45704580 * y * (4.0 * zz - xx - yy) * coefficient(base, 10);
  c += 0.37317633 * z * (2.0 * zz - 3.0 * xx - 3.0 * yy) * coefficient(base, 11);
  c += -0.45704580 * x * (4.0 * zz - xx - yy) * coefficient(base, 12);
  c += 1.44530572 * z * (xx - yy) * coefficient(base, 13);
  c += -0.59004359 * x * (xx - 3.0 * yy) * coefficient(base, 14);
  if (degree < 4) return c;
  c += 2.50334294 * xy * (xx - yy) * coefficient(base, 15);
  c += -1.77013077 * yz * (3.0 * xx - yy) * coefficient(base, 16);
  c += 0.94617470 * xy * (7.0 * zz - 1.0) * coefficient(base, 17);
  c += -0.66904654 * yz * (7.0 * zz - 3.0) * coefficient(base, 18);
  c += 0.10578555 * (zz * (35.0 * zz - 30.0) + 3.0) * coefficient(base, 19);
  c += -0.66904654 * xz * (7.0 * zz - 3.0) * coefficient(base, 20);
  c += 0.47308735 * (xx - yy) * (7.0 * zz - 1.0) * coefficient(base, 21);
  c += -1.77013077 * xz * (xx - 3.0 * yy) * coefficient(base, 22);
  c += 0.62583574 * (xx * (xx - 3.0 * yy) - yy * (3.0 * xx - yy)) * coefficient(base, 23);
  return c;
}
"""

# Camera axes here are OpenGL's: x right, y up, z towards the viewer. Pixels are the device's.
PROJECT = (
    "#version 330 core\n"
    + _UNPACK
    + _HARMONICS
    + f"""
const float MAX_ALPHA = {MAX_ALPHA};
uniform sampler2D meanTexels;
uniform usampler2D shapeTexels;
uniform sampler2D baseTexels;
uniform usampler2D markTexels;
uniform sampler2D paintTexels;
uniform sampler2D layerTexels;  // each row of Gaussians: how its layer is drawn
uniform sampler2D depthColors;
uniform mat4 view, projection;
uniform vec2 size, tangents;    // pixels; half of the picture's width and height at depth 1
uniform vec3 eye, forward;
uniform float near, coarseness, threshold, pixelRatio;
uniform float line;             // parts what is seen left from what is seen right, -1 to 1
uniform vec2 depthRange;
uniform bool isParallel;
uniform vec4 clip;              // dot(clip.xyz, p) > clip.w is cut away
uniform mat4 cropFromWorld;     // inside when |x|, |y|, |z| <= 1
uniform bool hasCrop;
uniform vec3 accent;
uniform mat4 moved;             // of the selected
uniform bool hasMoved;
uniform float movedScale;
in uint id;
out vec4 place;                 // x, y, z in the picture; which way to draw, and on which side
out vec4 axes;                  // two half axes of the ellipse at one standard deviation, in pixels
out vec4 tint;

mat3 turn(vec4 q) {{
  q = normalize(q);
  float w = q.x, x = q.y, y = q.z, z = q.w;
  return mat3(1.0 - 2.0 * (y * y + z * z), 2.0 * (x * y + w * z), 2.0 * (x * z - w * y),
              2.0 * (x * y - w * z), 1.0 - 2.0 * (x * x + z * z), 2.0 * (y * z + w * x),
              2.0 * (x * z + w * y), 2.0 * (y * z - w * x), 1.0 - 2.0 * (x * x + y * y));
}}
void main() {{
  int i = int(id);
  place = vec4(0.0, 0.0, 2.0, 0.0);  // beyond the far plane until it is found to be in the picture
  axes = tint = vec4(0.0);
  gl_Position = vec4(0.0);
  uint marks = texelFetch(markTexels, texel(i), 0).r;
  if ((marks & 10u) != 0u) return;
  bool isSelected = (marks & 1u) != 0u, isLocked = (marks & 4u) != 0u;
  vec4 look = texelFetch(layerTexels, ivec2(0, i / ROW), 0);   // opacity, size, degree, view
  vec4 range = texelFetch(layerTexels, ivec2(1, i / ROW), 0);  // of log scales, coloring, dot in pixels
  vec4 more = texelFetch(layerTexels, ivec2(2, i / ROW), 0);   // is antialiased, side, shift, is plain
  int side = int(more.y + 0.5);
  if (side == 3) return;
  vec3 mean = texelFetch(meanTexels, texel(i), 0).xyz;
  bool isMoved = hasMoved && isSelected;
  if (isMoved) mean = (moved * vec4(mean, 1.0)).xyz;
  if (dot(clip.xyz, mean) > clip.w) return;
  if (hasCrop && any(greaterThan(abs((cropFromWorld * vec4(mean, 1.0)).xyz), vec3(1.0)))) return;
  vec4 t = view * vec4(mean, 1.0);
  float z = -t.z;
  if (z < near && !isParallel) return;
  vec4 at = projection * t;

  uvec4 shape = texelFetch(shapeTexels, texel(i), 0);
  float opacity = high16(shape.w);
  vec3 logs = range.x + (range.y - range.x) * vec3(low16(shape.z), high16(shape.z), low16(shape.w));
  vec3 scales = exp(logs) * look.y;
  float grown = 1.0;
  if (threshold > 0.0) {{  // of many alike some were left out: the others stand for them
    vec3 s = exp(logs);
    float area = max(s.x * s.y, max(s.y * s.z, s.x * s.z));
    grown = clamp(inversesqrt(max(threshold * area * opacity, 1e-9)), 1.0, {MOST_GROWN});
  }}
  mat3 rotation = turn(vec4(low16(shape.x), high16(shape.x), low16(shape.y), high16(shape.y)) * 2.0 - 1.0);
  if (isMoved) {{
    scales *= movedScale;
    rotation = mat3(moved) * rotation / movedScale;
  }}
  vec2 focal = vec2(projection[0][0], projection[1][1]) * size * 0.5;
  vec2 slope = clamp(t.xy / z, -1.3 * tangents, 1.3 * tangents);
  vec3 jx = isParallel ? vec3(focal.x, 0.0, 0.0) : vec3(focal.x, 0.0, focal.x * slope.x) / z;
  vec3 jy = isParallel ? vec3(0.0, focal.y, 0.0) : vec3(0.0, focal.y, focal.y * slope.y) / z;
  mat3 world = mat3(view) * rotation;
  vec3 u = (jx * world) * scales * grown, v = (jy * world) * scales * grown;
  float a = dot(u, u), b = dot(u, v), c = dot(v, v);
  float low = {LOW_PASS} * coarseness * coarseness;
  float sharp = (a + {LOW_PASS}) * (c + {LOW_PASS}) - b * b;
  float soft = (a + low) * (c + low) - b * b;
  float alpha = opacity * look.x;
  if (more.x > 0.5) alpha *= sqrt(max(0.0, (a * c - b * b) / sharp));
  alpha *= sqrt(sharp / soft);
  a += low; c += low;
  float middle = 0.5 * (a + c), reach = length(vec2(0.5 * (a - c), b));
  float large = middle + reach, small = max(middle - reach, 1e-6);
  vec2 along = abs(b) < 1e-9 * large ? (a >= c ? vec2(1.0, 0.0) : vec2(0.0, 1.0)) : normalize(vec2(b, large - a));
  vec4 both = vec4(along * sqrt(large), vec2(-along.y, along.x) * sqrt(small));
  int way = int(look.w + 0.5);
  if (way == 1) {{
    float dot_ = range.w * pixelRatio * (isSelected ? 1.5 : 1.0);
    both = vec4(dot_, 0.0, 0.0, dot_);
    alpha = look.x;
  }}
  if (alpha < 1.0 / 255.0) return;
  vec2 middleAt = at.xy / at.w + vec2(more.z, 0.0);
  float extent = way == 1 ? 1.0 : sqrt(2.0 * log(255.0 * min(alpha, MAX_ALPHA)));
  vec2 box = extent * vec2(length(both.xz), length(both.yw)) * 2.0 / size;
  if (any(greaterThan(abs(middleAt) - box, vec2(1.0)))) return;
  if (side == 1 && middleAt.x - box.x > line) return;
  if (side == 2 && middleAt.x + box.x < line) return;

  vec3 color = vec3(0.0);
  int coloring = int(range.z + 0.5);
  if (coloring == 1) {{
    float share = clamp((z - depthRange.x) / (depthRange.y - depthRange.x), 0.0, 1.0);
    color = texture(depthColors, vec2(share * (255.0 / 256.0) + 0.5 / 256.0, 0.5)).rgb;
  }} else {{
    // What colours stand for hides the splat's own colour as far as the paint is opaque, and keeps its light.
    vec4 paint = coloring >= 2 ? texelFetch(paintTexels, texel(i), 0) : vec4(0.0);
    if (paint.a < 0.999) {{
      vec4 base = texelFetch(baseTexels, texel(i), 0);
      color = base.rgb;
      int degree = int(look.z + 0.5);
      if (degree > 0) {{
        vec3 towards = isParallel ? forward : normalize(mean - eye);
        if (isMoved) towards = transpose(mat3(moved)) * towards / movedScale;
        color += base.a * harmonics(i, degree, towards);
      }}
      color = max(color, 0.0);
      paint.rgb *= 0.45 + 0.75 * dot(color, vec3(0.2126, 0.7152, 0.0722));
    }}
    color = mix(color, paint.rgb, paint.a);
  }}
  float light = dot(color, vec3(0.2126, 0.7152, 0.0722));
  if (isSelected && more.w < 0.5) color = way == 0 ? mix(color, accent * (0.45 + 0.75 * light), 0.8) : accent;
  else if (isLocked) color = mix(color, vec3(light), 0.7) * 0.45;
  // What lies outside VTK's near and far planes is still drawn, in front of all or behind all.
  place = vec4(middleAt, clamp(at.z / at.w, -0.999999, 0.999999), float(way + 4 * side));
  axes = both;
  tint = vec4(color, alpha);
}}
"""
)
CAPTURED = ("place", "axes", "tint")
CAPTURED_BYTES = 48

# Around the circle in which a splat can be seen one triangle takes less work than the two of a square.
SPLAT_CORNERS = """#version 330 core
uniform vec2 size;
in vec2 corner;
in vec4 place, axes, tint;
out vec4 at;          // in standard deviations, how many of them are seen, depth
flat out vec4 color;  // below 0 is the alpha of a ring, below -2 that of a dot
flat out int side;
void main() {
  int way = int(place.w + 0.5) & 3;
  side = int(place.w + 0.5) >> 2;
  float extent = way == 1 ? 1.0 : sqrt(max(0.0, 2.0 * log(255.0 * min(tint.a, 0.999))));
  at = vec4(corner * extent, extent, 0.5 + 0.5 * place.z);
  color = vec4(tint.rgb, way == 0 ? tint.a : way == 1 ? -3.0 - tint.a : -tint.a);
  gl_Position = vec4(place.xy + (at.x * axes.xy + at.y * axes.zw) * 2.0 / size, place.z, 1.0);
}
"""
TRIANGLE = ((0.0, 2.0), (-1.7320509, -1.0), (1.7320509, -1.0))  # around the unit circle

SPLAT = f"""#version 330 core
in vec4 at;
flat in vec4 color;
flat in int side;             // 1 is seen left of the line only, 2 right of it
uniform float linePixel;
layout(location = 0) out vec4 paint;
layout(location = 1) out vec4 weighted;  // depth, blended as the colours are
void main() {{
  if ((side == 1 && gl_FragCoord.x > linePixel) || (side == 2 && gl_FragCoord.x < linePixel)) discard;
  float square = dot(at.xy, at.xy), alpha;
  if (color.a >= 0.0) {{
    alpha = min({MAX_ALPHA}, color.a * exp(-0.5 * square));
  }} else if (color.a < -2.0) {{
    float away = sqrt(square);
    alpha = (-3.0 - color.a) * clamp((1.0 - away) / max(fwidth(away), 1e-6) + 0.5, 0.0, 1.0);
  }} else {{
    float away = sqrt(square) / at.z, pixel = fwidth(away);
    float ring = smoothstep(1.0 - 2.5 * pixel, 1.0 - 1.5 * pixel, away) * step(away, 1.0);
    alpha = max(0.04 * exp(-0.5 * square), 0.85 * ring) * min(1.0, 0.3 - color.a);
  }}
  if (alpha < 1.0 / 255.0) discard;
  paint = vec4(color.rgb * alpha, alpha);
  weighted = vec4(at.w * alpha, 0.0, 0.0, alpha);
}}
"""

WHOLE_PICTURE = """#version 330 core
in vec2 corner;
void main() { gl_Position = vec4(corner, 0.0, 1.0); }
"""

# VTK's depth, as the farthest of the samples and pixels that one of ours covers: at the edge of a mesh the splats
# behind it reach into the edge's pixels, where the background would show as a fringe otherwise.
DEPTH_COPY = """#version 330 core
uniform sampler2D scene;
uniform int coarseness;
void main() {
  ivec2 limit = textureSize(scene, 0) - 1;
  float depth = 0.0;
  for (int y = 0; y < coarseness; y++)
    for (int x = 0; x < coarseness; x++)
      depth = max(depth, texelFetch(scene, min(ivec2(gl_FragCoord.xy) * coarseness + ivec2(x, y), limit), 0).r);
  gl_FragDepth = depth;
}
"""
DEPTH_COPY_OF_SAMPLES = """#version 330 core
uniform sampler2DMS scene;
uniform int coarseness, samples;
void main() {
  ivec2 limit = textureSize(scene) - 1;
  float depth = 0.0;
  for (int y = 0; y < coarseness; y++)
    for (int x = 0; x < coarseness; x++)
      for (int s = 0; s < samples; s++)
        depth = max(depth, texelFetch(scene, min(ivec2(gl_FragCoord.xy) * coarseness + ivec2(x, y), limit), s).r);
  gl_FragDepth = depth;
}
"""

# Where splats hide more than they let through, grid and translucent meshes behind them are to be hidden, too. Over
# meshes colours and depths are laid in two passes: where splats are thin the mesh's depth is to stay.
COMPOSE = """#version 330 core
uniform sampler2D splats, depths;
uniform vec2 scale;
uniform float opacity;
uniform bool hasColors, hasDepths;
out vec4 paint;
void main() {
  vec4 seen = vec4(0.0);
  if (hasColors) {
    seen = texture(splats, gl_FragCoord.xy * scale);
    if (seen.a < 0.5 / 255.0) discard;
  }
  paint = min(seen, vec4(1.0)) * opacity;
  gl_FragDepth = 1.0;
  if (hasDepths) {
    ivec2 at = ivec2(gl_FragCoord.xy * scale * vec2(textureSize(splats, 0)));
    float alpha = texelFetch(splats, at, 0).a;
    if (alpha >= 0.5) gl_FragDepth = clamp(texelFetch(depths, at, 0).r / alpha, 0.0, 1.0);
    else if (!hasColors) discard;
  }
}
"""
