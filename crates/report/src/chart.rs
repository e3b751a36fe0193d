//! Series of usage as a picture.

use plotters::backend::{BitMapBackend, SVGBackend};
use plotters::drawing::IntoDrawingArea;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use weir_core::quantity::Quantity;
use weir_core::time::{Timestamp, Zone};

use crate::canvas::{Canvas, Kind};
use crate::theme::MAX_SERIES;
use crate::{plot, svg};

/// The widest and highest picture, in pixels.
pub const MAX_SIDE: u32 = 4_000;
/// Units to the pixel of an SVG, since plotters places nothing between two units.
const SVG_FINENESS: u32 = 8;
/// A picture up to this many pixels is drawn four times as fine as it becomes, a larger one twice.
const FINE_PIXELS: u32 = 1_500_000;

/// What a chart shows.
#[derive(Clone, Debug, PartialEq)]
pub struct Chart {
    /// What it is about.
    pub title: String,
    /// Of whom and when, say.
    pub subtitle: Option<String>,
    /// What the values count.
    pub unit: Option<String>,
    /// Whose clock the time axis shows.
    pub zone: Zone,
    /// One to eight of them, told apart by colour and mark.
    pub series: Vec<Series>,
}

/// A line of a chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// What the legend calls it; may be empty when it is the only one.
    pub name: String,
    /// In any order.
    pub points: Vec<Point>,
}

/// A value at a time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// When, say where a bucket begins.
    pub at: Timestamp,
    /// How much; where there is none the line has a gap.
    pub value: Option<Quantity>,
}

/// The form of the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "ChartFormat")]
pub enum Format {
    /// Lines and texts that stay sharp at any size.
    Svg,
    /// Pixels.
    Png,
}

impl Format {
    /// The type to send it as.
    pub const fn content_type(self) -> &'static str {
        match self {
            Format::Svg => "image/svg+xml",
            Format::Png => "image/png",
        }
    }
}

/// The ground the picture is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "ChartTheme")]
pub enum Theme {
    /// Dark on white.
    #[default]
    Light,
    /// Light on near black.
    Dark,
}

/// Why there is no picture.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChartError {
    /// No pixels, or too many.
    #[error("a chart is 1 to {MAX_SIDE} pixels wide and high")]
    Size,
    /// More lines than can be told apart.
    #[error("a chart shows at most {MAX_SERIES} series")]
    TooManySeries,
    /// The drawing failed, which no input should bring about.
    #[error("the chart cannot be drawn: {0}")]
    Drawing(String),
}

/// Draws a chart, `width` by `height` pixels. Its texts grow with it, so one of twice the size is the same picture, finer.
pub fn render(chart: &Chart, format: Format, theme: Theme, width: u32, height: u32) -> Result<Vec<u8>, ChartError> {
    if !(1..=MAX_SIDE).contains(&width) || !(1..=MAX_SIDE).contains(&height) {
        return Err(ChartError::Size);
    }
    if chart.series.len() > MAX_SERIES {
        return Err(ChartError::TooManySeries);
    }
    match format {
        Format::Svg => as_svg(chart, theme, (width, height)),
        Format::Png => as_png(chart, theme, (width, height)),
    }
}

fn as_svg(chart: &Chart, theme: Theme, (width, height): (u32, u32)) -> Result<Vec<u8>, ChartError> {
    let mut drawing = String::new();
    let backend = SVGBackend::with_string(&mut drawing, (width * SVG_FINENESS, height * SVG_FINENESS));
    let canvas = Canvas::new(backend.into_drawing_area(), Kind::Svg, SVG_FINENESS);
    plot::draw(&canvas, chart, theme, (width, height))?;
    canvas.finish()?;
    Ok(svg::dress(&drawing, (width, height), SVG_FINENESS, &chart.title)?.into_bytes())
}

fn as_png(chart: &Chart, theme: Theme, (width, height): (u32, u32)) -> Result<Vec<u8>, ChartError> {
    let fineness = if width * height <= FINE_PIXELS { 4 } else { 2 };
    let mut fine = vec![0; width as usize * height as usize * 3 * (fineness * fineness) as usize];
    {
        let backend = BitMapBackend::with_buffer(&mut fine, (width * fineness, height * fineness));
        let canvas = Canvas::new(backend.into_drawing_area(), Kind::Bitmap, fineness);
        plot::draw(&canvas, chart, theme, (width, height))?;
        canvas.finish()?;
    }
    let pixels = shrink(&fine, width as usize, fineness as usize);
    let mut picture = Vec::new();
    let mut encoder = png::Encoder::new(&mut picture, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let failed = |error: png::EncodingError| ChartError::Drawing(error.to_string());
    let mut writer = encoder.write_header().map_err(failed)?;
    writer.write_image_data(&pixels).map_err(failed)?;
    writer.finish().map_err(failed)?;
    Ok(picture)
}

/// Each pixel the mean of the finer ones it was drawn with: smooth edges for lines and letters alike.
fn shrink(fine: &[u8], width: usize, fineness: usize) -> Vec<u8> {
    let row = width * fineness * 3;
    let many = (fineness * fineness) as u32;
    let mut pixels = Vec::with_capacity(fine.len() / many as usize);
    let mut sums = vec![0_u32; width * 3];
    for band in fine.chunks_exact(row * fineness) {
        sums.fill(0);
        for line in band.chunks_exact(row) {
            for (cell, sum) in line.chunks_exact(fineness * 3).zip(sums.chunks_exact_mut(3)) {
                for dot in cell.chunks_exact(3) {
                    for (sum, part) in sum.iter_mut().zip(dot) {
                        *sum += u32::from(*part);
                    }
                }
            }
        }
        pixels.extend(sums.iter().map(|sum| ((sum + many / 2) / many) as u8));
    }
    pixels
}
