import { describe, expect, test } from 'vitest';

import { heightOf, HIGHEST, movedTo, placed, scrolled, type Scale, type ScrollPlace } from './scale';

const ROW = 36;
const short: Scale = { extent: 1000 * ROW, view: 800 };
const long: Scale = { extent: 1_000_000 * ROW, view: 800 };
const last = long.extent - long.view;

describe('a list that fits', () => {
  test('is as high as its rows, and scrolls with them', () => {
    expect(heightOf(short.extent)).toBe(36_000);
    expect(scrolled(short, { bar: 0, top: 0 }, 20_000)).toEqual({ bar: 20_000, top: 20_000 });
    expect(movedTo(short, { bar: 10, top: 10 }, 5000)).toEqual({ bar: 5000, top: 5000 });
    expect(movedTo(short, { bar: 10, top: 10 }, 90_000).top).toBe(35_200);
    expect(placed({ extent: 300, view: 800 }, 50)).toEqual({ bar: 0, top: 0 });
  });
});

describe('a list that does not', () => {
  test('is no higher than what every web view draws', () => {
    expect(heightOf(long.extent)).toBe(HIGHEST);
  });

  test('the ends of the bar are the ends of the rows', () => {
    expect(scrolled(long, { bar: 0, top: 0 }, HIGHEST - 800).top).toBe(last);
    expect(scrolled(long, { bar: HIGHEST - 800, top: last }, 0).top).toBe(0);
    expect(placed(long, last)).toEqual({ bar: HIGHEST - 800, top: last });
  });

  test('a dragged bar goes by proportion', () => {
    const { top } = scrolled(long, { bar: 0, top: 0 }, (HIGHEST - 800) / 2);
    expect(top / last).toBeCloseTo(0.5, 5);
  });

  test('small scrolls move the rows by as many pixels', () => {
    let place = placed(long, 18_000_000);
    for (let n = 0; n < 50; n += 1) place = scrolled(long, place, place.bar + 120);
    expect(place.top).toBe(18_000_000 + 50 * 120);
    for (let n = 0; n < 50; n += 1) place = scrolled(long, place, place.bar - 120);
    expect(place.top).toBe(18_000_000);
  });

  test.each([-100, 100])('a wheel that is turned by %i for long reaches the very end', (by) => {
    let place: ScrollPlace = placed(long, by < 0 ? 40_000 : last - 40_000);
    let turns = 0;
    while (place.top !== (by < 0 ? 0 : last) && turns < 1000) {
      place = scrolled(long, place, Math.min(Math.max(0, place.bar + by), HIGHEST - 800));
      turns += 1;
    }
    expect(place.top).toBe(by < 0 ? 0 : last);
    expect(turns).toBe(400);
    expect(place.bar).toBe(by < 0 ? 0 : HIGHEST - 800);
  });

  test('a near place is reached by as many pixels, a far one by proportion', () => {
    const from = placed(long, 1_000_000);
    expect(movedTo(long, from, 1_000_036)).toEqual({ bar: from.bar + 36, top: 1_000_036 });
    expect(movedTo(long, from, 30_000_000)).toEqual(placed(long, 30_000_000));
  });
});
