const WIDTH = 320;
const HEIGHT = 96;
const SVG = 'http://www.w3.org/2000/svg';

/** Curves of a training: loss on a scale of its own, shares from 0 to 1. Nothing is drawn of what was not measured. */
export function curves(points) {
  const lines = [
    ['loss', 'loss', Math.max(...points.map(({ loss }) => loss), 1e-9)],
    ['accuracy', 'accuracy', 1],
    ['attackSuccess', 'attack success', 1],
  ].filter(([key]) => points.filter((point) => typeof point[key] === 'number').length > 1);
  if (lines.length === 0) return [];
  const last = points.at(-1).step;
  const drawn = lines.map(([key, , top]) => line(key, points, last, top));
  const words = lines.map(([key, name]) => `${name} ${Number(points.at(-1)[key]?.toPrecision(3) ?? NaN)}`);
  const picture = svg('svg', {
    class: 'curves',
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
    role: 'img',
    'aria-label': `Curves up to step ${last}: ${words.join(', ')}`,
  });
  picture.append(...drawn);
  const legend = document.createElement('p');
  legend.className = 'legend';
  for (const [index, [key]] of lines.entries()) {
    const name = document.createElement('span');
    name.className = key;
    name.textContent = words[index];
    legend.append(name, ' ');
  }
  return [picture, legend];
}

function line(key, points, last, top) {
  const at = points
    .filter((point) => typeof point[key] === 'number')
    .map(
      ({ step, [key]: value }) => `${((WIDTH * step) / last).toFixed(1)},${(HEIGHT * (1 - value / top)).toFixed(1)}`,
    );
  return svg('polyline', { class: key, points: at.join(' ') });
}

function svg(tag, attributes) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}
