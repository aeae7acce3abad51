//! The tray icon with a count drawn into it: not every tray shows a title or a tooltip.

use tauri::image::Image;

const ICON: Image<'static> = tauri::include_image!("./src-tauri/icons/32x32.png");
/// Edge of the square that holds the count.
const BADGE: u32 = 20;
const RED: [u8; 4] = [0xB3, 0x26, 0x1E, 0xFF];
const WHITE: [u8; 4] = [0xFF, 0xFF, 0xFF, 0xFF];

/// Rows of three dots, from the top; the highest of three bits is the left one.
const GLYPHS: [[u8; 5]; 11] = [
    [0b111, 0b101, 0b101, 0b101, 0b111],
    [0b010, 0b110, 0b010, 0b010, 0b111],
    [0b111, 0b001, 0b111, 0b100, 0b111],
    [0b111, 0b001, 0b111, 0b001, 0b111],
    [0b101, 0b101, 0b111, 0b001, 0b001],
    [0b111, 0b100, 0b111, 0b001, 0b111],
    [0b111, 0b100, 0b111, 0b101, 0b111],
    [0b111, 0b001, 0b010, 0b010, 0b010],
    [0b111, 0b101, 0b111, 0b101, 0b111],
    [0b111, 0b101, 0b111, 0b001, 0b111],
    [0b000, 0b010, 0b111, 0b010, 0b000],
];
const PLUS: usize = 10;

/// The icon for a count; more than 99 is drawn as `9+`.
pub fn icon(count: u32) -> Image<'static> {
    let (width, height) = (ICON.width(), ICON.height());
    let mut pixels = ICON.rgba().to_vec();
    if count > 0 {
        let (left, top) = (width - BADGE, height - BADGE);
        fill(&mut pixels, width, (left, top, BADGE, BADGE), RED);
        let glyphs = glyphs(count);
        // One glyph is larger, as it has the room.
        let dot = if glyphs.len() == 1 { 3 } else { 2 };
        let text = u32::try_from(glyphs.len()).unwrap_or(2) * 4 * dot - dot;
        let (mut x, y) = (left + (BADGE - text) / 2, top + (BADGE - 5 * dot) / 2);
        for glyph in glyphs {
            draw(&mut pixels, width, (x, y), dot, &GLYPHS[glyph]);
            x += 4 * dot;
        }
    }
    Image::new_owned(pixels, width, height)
}

fn glyphs(count: u32) -> Vec<usize> {
    match count {
        0..=9 => vec![count as usize],
        10..=99 => vec![count as usize / 10, count as usize % 10],
        _ => vec![9, PLUS],
    }
}

fn draw(pixels: &mut [u8], width: u32, (left, top): (u32, u32), dot: u32, glyph: &[u8; 5]) {
    for (row, bits) in (0..).zip(glyph) {
        for column in 0..3 {
            if bits & (0b100 >> column) != 0 {
                fill(pixels, width, (left + column * dot, top + row * dot, dot, dot), WHITE);
            }
        }
    }
}

fn fill(pixels: &mut [u8], width: u32, area: (u32, u32, u32, u32), color: [u8; 4]) {
    let (left, top, across, down) = area;
    for y in top..top + down {
        for x in left..left + across {
            let at = ((y * width + x) * 4) as usize;
            pixels[at..at + 4].copy_from_slice(&color);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn white(count: u32) -> usize {
        icon(count).rgba().chunks(4).filter(|pixel| **pixel == WHITE).count()
            - icon(0).rgba().chunks(4).filter(|pixel| **pixel == WHITE).count()
    }

    #[test]
    fn every_count_has_an_icon_that_shows_it() {
        let plain = icon(0);
        let mut seen = vec![plain.rgba().to_vec()];
        for count in [1, 2, 9, 10, 11, 42, 88, 99, 100] {
            let drawn = icon(count);
            assert_eq!((drawn.width(), drawn.height()), (plain.width(), plain.height()));
            assert!(!seen.contains(&drawn.rgba().to_vec()), "{count} looks like another");
            seen.push(drawn.rgba().to_vec());
        }
        assert_eq!(icon(100).rgba(), icon(5_000).rgba());
        assert!(white(1) > 0);
    }
}
