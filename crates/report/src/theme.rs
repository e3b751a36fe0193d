//! The colours of a chart: those of the console, told apart by colour-blind eyes and dark enough to be seen.

use plotters::style::RGBColor;

use crate::chart::Theme;

/// The most series that one chart shows: more cannot be told apart.
pub(crate) const MAX_SERIES: usize = 8;

pub(crate) struct Colours {
    pub(crate) ground: RGBColor,
    pub(crate) text: RGBColor,
    pub(crate) muted: RGBColor,
    pub(crate) grid: RGBColor,
    /// The line of zero.
    pub(crate) axis: RGBColor,
    pub(crate) series: [RGBColor; MAX_SERIES],
    /// How much of the ground a fill under a line covers.
    pub(crate) fill: f64,
}

const fn rgb(hex: u32) -> RGBColor {
    RGBColor((hex >> 16) as u8, (hex >> 8) as u8, hex as u8)
}

const LIGHT: Colours = Colours {
    ground: rgb(0xffffff),
    text: rgb(0x171a21),
    muted: rgb(0x666e7c),
    grid: rgb(0xe9ecf1),
    axis: rgb(0xc3c9d3),
    series: [
        rgb(0x1f56d8),
        rgb(0xc4570a),
        rgb(0x0b8063),
        rgb(0xa8489a),
        rgb(0x8a6a00),
        rgb(0x2585b0),
        rgb(0x6b4fc4),
        rgb(0x5d6674),
    ],
    fill: 0.10,
};

const DARK: Colours = Colours {
    ground: rgb(0x121419),
    text: rgb(0xe9ebf0),
    muted: rgb(0x8d96a5),
    grid: rgb(0x252a33),
    axis: rgb(0x474e5b),
    series: [
        rgb(0x6f9bff),
        rgb(0xf0924a),
        rgb(0x3fc29b),
        rgb(0xdd86cf),
        rgb(0xd2b04a),
        rgb(0x67c3ea),
        rgb(0xa993f5),
        rgb(0xa3acb9),
    ],
    fill: 0.16,
};

impl Theme {
    pub(crate) const fn colours(self) -> &'static Colours {
        match self {
            Theme::Light => &LIGHT,
            Theme::Dark => &DARK,
        }
    }
}
