//! What a chart is drawn on: one set of strokes, in pixels of the finished picture, over either of plotters' backends.

use std::fmt::Display;

use ab_glyph::ScaleFont;
use plotters::coord::Shift;
use plotters::drawing::DrawingArea;
use plotters::element::{Circle, PathElement, Polygon, Rectangle, Text};
use plotters::prelude::DrawingBackend;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontDesc, FontFamily, RGBColor, ShapeStyle};

use crate::chart::ChartError;
use crate::font::{FAMILY, Weight, printable, width};

/// How a backend draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Paths and texts are kept as such.
    Svg,
    /// Everything becomes pixels at once.
    Bitmap,
}

/// A point in pixels of the finished picture.
pub(crate) type Spot = (f64, f64);

/// The forms of the marks that tell series apart without colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    Disc,
    Square,
    Triangle,
    Diamond,
}

/// A text's place and look.
#[derive(Clone, Copy)]
pub(crate) struct Lettering {
    pub(crate) size: f64,
    pub(crate) weight: Weight,
    pub(crate) colour: RGBColor,
    pub(crate) anchor: HPos,
}

pub(crate) struct Canvas<B: DrawingBackend> {
    area: DrawingArea<B, Shift>,
    kind: Kind,
    /// Units of the backend in a pixel of the finished picture: it takes whole units only.
    fineness: f64,
}

fn failed(error: impl Display) -> ChartError {
    ChartError::Drawing(error.to_string())
}

impl<B: DrawingBackend> Canvas<B> {
    pub(crate) fn new(area: DrawingArea<B, Shift>, kind: Kind, fineness: u32) -> Self {
        Canvas { area, kind, fineness: f64::from(fineness) }
    }

    pub(crate) fn finish(self) -> Result<(), ChartError> {
        self.area.present().map_err(failed)
    }

    fn unit(&self, pixels: f64) -> i32 {
        // A cast from a float stops at the ends of the range.
        (pixels * self.fineness).round() as i32
    }

    fn units(&self, spots: &[Spot]) -> Vec<(i32, i32)> {
        let mut units: Vec<_> = spots.iter().map(|(x, y)| (self.unit(*x), self.unit(*y))).collect();
        units.dedup();
        units
    }

    pub(crate) fn ground(&self, colour: RGBColor) -> Result<(), ChartError> {
        self.area.fill(&colour).map_err(failed)
    }

    /// A filled rectangle, `width` and `height` at least one unit.
    pub(crate) fn block(&self, (x, y): Spot, width: f64, height: f64, colour: RGBColor) -> Result<(), ChartError> {
        let (left, top) = (self.unit(x), self.unit(y));
        let (mut right, mut bottom) = (left + self.unit(width).max(1), top + self.unit(height).max(1));
        if self.kind == Kind::Bitmap {
            // Here the last column and row belong to the rectangle.
            (right, bottom) = (right - 1, bottom - 1);
        }
        self.area.draw(&Rectangle::new([(left, top), (right, bottom)], colour.filled())).map_err(failed)
    }

    /// A filled shape that `share` of the ground shows through less.
    pub(crate) fn shape(&self, spots: &[Spot], colour: RGBColor, share: f64) -> Result<(), ChartError> {
        let units = self.units(spots);
        if units.len() < 3 {
            return Ok(());
        }
        self.area.draw(&Polygon::new(units, colour.mix(share))).map_err(failed)
    }

    /// A line through points, with round corners and ends.
    pub(crate) fn line(&self, spots: &[Spot], width: f64, colour: RGBColor) -> Result<(), ChartError> {
        let units = self.units(spots);
        match self.kind {
            Kind::Svg => {
                let style =
                    ShapeStyle { color: colour.into(), filled: false, stroke_width: self.unit(width).max(1) as u32 };
                self.area.draw(&PathElement::new(units, style)).map_err(failed)
            }
            Kind::Bitmap => {
                // Plotters' own thick paths have pointed corners that stick out of a jagged series.
                let half = width * self.fineness / 2.0;
                for pair in units.windows(2) {
                    let corners = ribbon(pair[0], pair[1], half);
                    self.area.draw(&Polygon::new(corners.to_vec(), colour)).map_err(failed)?;
                }
                for joint in units {
                    self.area
                        .draw(&Circle::new(joint, half.round().max(1.0) as i32, colour.filled()))
                        .map_err(failed)?;
                }
                Ok(())
            }
        }
    }

    /// A mark of about `radius` around a point.
    pub(crate) fn mark(&self, mark: Mark, (x, y): Spot, radius: f64, colour: RGBColor) -> Result<(), ChartError> {
        let shape = |corners: &[Spot]| {
            let spots: Vec<Spot> = corners.iter().map(|(dx, dy)| (x + dx * radius, y + dy * radius)).collect();
            self.shape(&spots, colour, 1.0)
        };
        match mark {
            Mark::Disc => {
                let centre = (self.unit(x), self.unit(y));
                self.area.draw(&Circle::new(centre, self.unit(radius).max(1), colour.filled())).map_err(failed)
            }
            // As large to the eye as the disc.
            Mark::Square => shape(&[(-0.89, -0.89), (0.89, -0.89), (0.89, 0.89), (-0.89, 0.89)]),
            Mark::Triangle => shape(&[(0.0, -1.25), (1.2, 0.85), (-1.2, 0.85)]),
            Mark::Diamond => shape(&[(0.0, -1.3), (1.3, 0.0), (0.0, 1.3), (-1.3, 0.0)]),
        }
    }

    /// A text on a base line.
    pub(crate) fn text(&self, text: &str, at: Spot, lettering: Lettering) -> Result<(), ChartError> {
        let text = printable(text);
        if text.trim().is_empty() {
            return Ok(());
        }
        match self.kind {
            Kind::Svg => self.text_as_such(text, at, lettering),
            Kind::Bitmap => self.text_as_pixels(&text, at, lettering),
        }
    }

    fn text_as_such(&self, text: String, (x, base): Spot, lettering: Lettering) -> Result<(), ChartError> {
        // Plotters takes a font's size for 1.24 ems, and has the base line lie 0.76 ems below the top.
        let size = lettering.size * self.fineness * 1.24;
        let style = FontDesc::new(FontFamily::Name(FAMILY), size, lettering.weight.style())
            .color(&lettering.colour)
            .pos(Pos::new(lettering.anchor, VPos::Top));
        let top = self.unit(base - lettering.size * 0.76);
        self.area.draw(&Text::new(text, (self.unit(x), top), style)).map_err(failed)
    }

    /// Plotters' own pixels of a text leave out the space beside each letter, so the letters are set here.
    fn text_as_pixels(&self, text: &str, (x, base): Spot, lettering: Lettering) -> Result<(), ChartError> {
        let face = lettering.weight.face(lettering.size * self.fineness)?;
        let (wide, high) = self.area.dim_in_pixel();
        let length = width(text, lettering.weight, lettering.size)?;
        let left = match lettering.anchor {
            HPos::Left => x,
            HPos::Center => x - length / 2.0,
            HPos::Right => x - length,
        };
        let mut pen = ab_glyph::point((left * self.fineness) as f32, (base * self.fineness) as f32);
        for letter in text.chars() {
            let id = face.glyph_id(letter);
            let glyph = id.with_scale_and_position(face.scale(), pen);
            pen.x += face.h_advance(id);
            let Some(outline) = face.outline_glyph(glyph) else { continue };
            let corner = outline.px_bounds().min;
            let mut result = Ok(());
            outline.draw(|dx, dy, cover| {
                let spot = (corner.x as i32 + dx as i32, corner.y as i32 + dy as i32);
                if result.is_ok() && (0..wide as i32).contains(&spot.0) && (0..high as i32).contains(&spot.1) {
                    result = self.area.draw_pixel(spot, &lettering.colour.mix(f64::from(cover).min(1.0)));
                }
            });
            result.map_err(failed)?;
        }
        Ok(())
    }
}

/// The four corners of a straight stroke.
fn ribbon(from: (i32, i32), to: (i32, i32), half: f64) -> [(i32, i32); 4] {
    let (dx, dy) = (f64::from(to.0) - f64::from(from.0), f64::from(to.1) - f64::from(from.1));
    let length = dx.hypot(dy).max(1.0);
    let (across, along) = ((-dy / length * half).round() as i32, (dx / length * half).round() as i32);
    [
        (from.0 + across, from.1 + along),
        (to.0 + across, to.1 + along),
        (to.0 - across, to.1 - along),
        (from.0 - across, from.1 - along),
    ]
}
