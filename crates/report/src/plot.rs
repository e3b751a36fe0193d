//! Where everything of a chart goes.

use plotters::prelude::DrawingBackend;
use plotters::style::RGBColor;
use plotters::style::text_anchor::HPos;
use weir_core::quantity::Quantity;

use crate::canvas::{Canvas, Lettering, Mark, Spot};
use crate::chart::{Chart, ChartError, Series, Theme};
use crate::font::{Weight, fit, width};
use crate::scale::Scale;
use crate::theme::Colours;
use crate::time_axis::ticks;

/// The size at which text has the size it is set in here.
const DESIGN: (f64, f64) = (720.0, 360.0);
/// Below this width or height, in pixels of that design, there is room for the lines alone.
const SMALLEST: (f64, f64) = (160.0, 110.0);
const MARGIN: f64 = 20.0;
const TITLE: f64 = 16.0;
const SUBTITLE: f64 = 12.5;
const LABEL: f64 = 11.0;
const LEGEND: f64 = 12.0;
const LEGEND_LINE: f64 = 20.0;
const LEGEND_NAME: f64 = 180.0;
const LINE: f64 = 1.75;
const MARKS: [Mark; 4] = [Mark::Disc, Mark::Square, Mark::Triangle, Mark::Diamond];
/// How far apart marks stand on a line, in pixels of the design.
const MARK_EVERY: f64 = 110.0;

/// A chart being drawn: its canvas, colours and how large a pixel of the design is.
struct Plot<'a, B: DrawingBackend> {
    canvas: &'a Canvas<B>,
    chart: &'a Chart,
    colours: &'static Colours,
    size: Spot,
    scale: f64,
}

/// The part of the picture that the lines are in.
#[derive(Clone, Copy)]
struct Field {
    left: f64,
    top: f64,
    right: f64,
    bottom: f64,
}

/// Draws a chart on a canvas of `width` by `height` pixels.
pub(crate) fn draw<B: DrawingBackend>(
    canvas: &Canvas<B>,
    chart: &Chart,
    theme: Theme,
    (width, height): (u32, u32),
) -> Result<(), ChartError> {
    let size = (f64::from(width), f64::from(height));
    let scale = (size.0 / DESIGN.0).min(size.1 / DESIGN.1).clamp(0.85, 8.0);
    Plot { canvas, chart, colours: theme.colours(), size, scale }.draw()
}

impl<B: DrawingBackend> Plot<'_, B> {
    fn draw(&self) -> Result<(), ChartError> {
        self.canvas.ground(self.colours.ground)?;
        let lines: Vec<Line> = self.chart.series.iter().map(Line::new).collect();
        if self.size.0 < SMALLEST.0 * self.scale || self.size.1 < SMALLEST.1 * self.scale {
            let rim = (LINE * self.scale).min(self.size.0 / 2.0).min(self.size.1 / 2.0);
            let field = Field { left: rim, top: rim, right: self.size.0 - rim, bottom: self.size.1 - rim };
            let values = Scale::new(lowest(&lines), highest(&lines), 4, false);
            return self.lines(&lines, field, &values, span(&lines));
        }
        let top = self.head()?;
        let top = self.legend(top)?;
        let mut field = Field {
            left: self.px(MARGIN),
            top: top + self.px(34.0),
            right: self.size.0 - self.px(MARGIN + 4.0),
            bottom: self.size.1 - self.px(MARGIN + 30.0),
        };
        if lines.iter().all(|line| line.runs.is_empty()) {
            return self.nothing(top);
        }
        let whole =
            self.chart.series.iter().flat_map(|series| &series.points).filter_map(|point| point.value).all(is_whole);
        let wanted = ((field.bottom - field.top) / self.px(40.0)).clamp(1.0, 8.0) as usize;
        let values = Scale::new(lowest(&lines), highest(&lines), wanted, whole);
        let mut widest = 0.0_f64;
        for tick in &values.ticks {
            widest = widest.max(width(&tick.label, Weight::Regular, self.px(LABEL))?);
        }
        field.left += widest + self.px(10.0);
        self.value_axis(field, &values, top)?;
        self.time_axis(field, span(&lines))?;
        self.lines(&lines, field, &values, span(&lines))
    }

    /// Pixels of the picture for pixels of the design.
    fn px(&self, design: f64) -> f64 {
        design * self.scale
    }

    fn lettering(&self, size: f64, colour: RGBColor) -> Lettering {
        Lettering { size: self.px(size), weight: Weight::Regular, colour, anchor: HPos::Left }
    }

    fn label(&self, anchor: HPos) -> Lettering {
        Lettering { anchor, ..self.lettering(LABEL, self.colours.muted) }
    }

    /// Title and subtitle. Returns how far down they reach.
    fn head(&self) -> Result<f64, ChartError> {
        let (left, room) = (self.px(MARGIN), self.size.0 - self.px(2.0 * MARGIN));
        let mut down = self.px(MARGIN);
        if !self.chart.title.is_empty() {
            let title = Lettering { weight: Weight::SemiBold, ..self.lettering(TITLE, self.colours.text) };
            down += self.px(12.0);
            self.canvas.text(&fit(&self.chart.title, title.weight, title.size, room)?, (left, down), title)?;
            down += self.px(5.0);
        }
        if let Some(subtitle) = self.chart.subtitle.as_ref().filter(|text| !text.is_empty()) {
            let lettering = self.lettering(SUBTITLE, self.colours.muted);
            down += self.px(15.0);
            self.canvas.text(&fit(subtitle, lettering.weight, lettering.size, room)?, (left, down), lettering)?;
            down += self.px(4.0);
        }
        Ok(down)
    }

    /// The names of the series beside their marks, in as many lines as they need. Returns how far down they reach.
    fn legend(&self, top: f64) -> Result<f64, ChartError> {
        let series = &self.chart.series;
        if series.len() < 2 && series.iter().all(|series| series.name.is_empty() || series.name == self.chart.title) {
            return Ok(top);
        }
        let (left, right) = (self.px(MARGIN), self.size.0 - self.px(MARGIN));
        let lettering = self.lettering(LEGEND, self.colours.text);
        let (mut x, mut base) = (left, top + self.px(LEGEND_LINE));
        for (index, series) in series.iter().enumerate() {
            let room = self.px(LEGEND_NAME).min(right - left - self.px(20.0));
            let name = fit(
                if series.name.is_empty() { "(none)" } else { &series.name },
                lettering.weight,
                lettering.size,
                room,
            )?;
            let wide = self.px(20.0) + width(&name, lettering.weight, lettering.size)?;
            if x > left && x + wide > right {
                (x, base) = (left, base + self.px(LEGEND_LINE));
            }
            // The line's own stroke with its mark, as it stands in the field.
            let middle = base - self.px(4.2);
            let colour = self.colours.series[index];
            self.canvas.block((x, middle - self.px(LINE / 2.0)), self.px(14.0), self.px(LINE), colour)?;
            self.mark(index, (x + self.px(7.0), middle), colour)?;
            self.canvas.text(&name, (x + self.px(20.0), base), lettering)?;
            x += wide + self.px(18.0);
        }
        Ok(base + self.px(4.0))
    }

    /// Horizontal lines, their labels, the unit and the zone.
    fn value_axis(&self, field: Field, values: &Scale, top: f64) -> Result<(), ChartError> {
        let hair = self.px(1.0);
        for tick in &values.ticks {
            let y = field.bottom - values.share(tick.value) * (field.bottom - field.top);
            let colour = if tick.value == 0.0 { self.colours.axis } else { self.colours.grid };
            self.canvas.block((field.left, y - hair / 2.0), field.right - field.left, hair, colour)?;
            self.canvas.text(
                &tick.label,
                (field.left - self.px(10.0), y + self.px(LABEL * 0.36)),
                self.label(HPos::Right),
            )?;
        }
        let base = top + self.px(18.0);
        let zone = self.chart.zone.name();
        let zone_wide = width(zone, Weight::Regular, self.px(LABEL))?;
        self.canvas.text(zone, (field.right, base), self.label(HPos::Right))?;
        let room = field.right - self.px(MARGIN) - zone_wide - self.px(16.0);
        match &self.chart.unit {
            Some(unit) => self.canvas.text(
                &fit(unit, Weight::Regular, self.px(LABEL), room)?,
                (self.px(MARGIN), base),
                self.label(HPos::Left),
            ),
            None => Ok(()),
        }
    }

    fn time_axis(&self, field: Field, (from, to): (i64, i64)) -> Result<(), ChartError> {
        let wide = field.right - field.left;
        let most = (wide / self.px(74.0)).max(1.0) as usize;
        let per_second = 1e6;
        for tick in ticks(
            (from as f64 / per_second).ceil() as i64,
            (to as f64 / per_second).floor() as i64,
            self.chart.zone,
            most,
        ) {
            let x = field.left + share_of_time(tick.at as f64 * per_second, from, to) * wide;
            self.canvas.block((x - self.px(0.5), field.bottom), self.px(1.0), self.px(4.0), self.colours.axis)?;
            let base = field.bottom + self.px(18.0);
            for (text, base) in [(Some(&tick.label), base), (tick.below.as_ref(), base + self.px(14.0))] {
                let Some(text) = text else { continue };
                let half = width(text, Weight::Regular, self.px(LABEL))? / 2.0;
                let x = x.min(self.size.0 - self.px(4.0) - half).max(half + self.px(4.0));
                self.canvas.text(text, (x, base), self.label(HPos::Center))?;
            }
        }
        Ok(())
    }

    fn lines(&self, lines: &[Line], field: Field, values: &Scale, (from, to): (i64, i64)) -> Result<(), ChartError> {
        let place = |(at, value): (i64, f64)| {
            let x = field.left + share_of_time(at as f64, from, to) * (field.right - field.left);
            (x, field.bottom - values.share(value) * (field.bottom - field.top))
        };
        let zero = field.bottom - values.share(0.0) * (field.bottom - field.top);
        // The first series is the most important, so it is drawn last.
        for (index, line) in lines.iter().enumerate().rev() {
            let colour = self.colours.series[index];
            let mut next_mark = field.left + self.px(MARK_EVERY) * (0.3 + 0.61 * index as f64).fract();
            for run in &line.runs {
                let spots = thinned(run.iter().map(|point| place(*point)));
                let (first, last) = (spots[0], spots[spots.len() - 1]);
                if lines.len() == 1 && spots.len() > 1 {
                    let area: Vec<Spot> =
                        [(first.0, zero)].into_iter().chain(spots.iter().copied()).chain([(last.0, zero)]).collect();
                    self.canvas.shape(&area, colour, self.colours.fill)?;
                }
                if spots.len() == 1 {
                    // A value between two gaps has no line.
                    self.mark(index, first, colour)?;
                    continue;
                }
                self.canvas.line(&spots, self.px(LINE), colour)?;
                if lines.len() > 1 {
                    for spot in &spots {
                        if spot.0 >= next_mark {
                            self.mark(index, *spot, colour)?;
                            next_mark = spot.0 + self.px(MARK_EVERY);
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// A series' mark. The forms come twice, the second time hollow.
    fn mark(&self, index: usize, spot: Spot, colour: RGBColor) -> Result<(), ChartError> {
        let form = MARKS[index % MARKS.len()];
        self.canvas.mark(form, spot, self.px(3.6), colour)?;
        if index >= MARKS.len() {
            self.canvas.mark(form, spot, self.px(1.8), self.colours.ground)?;
        }
        Ok(())
    }

    fn nothing(&self, top: f64) -> Result<(), ChartError> {
        let middle = (self.size.0 / 2.0, f64::midpoint(top, self.size.1));
        let lettering = Lettering { anchor: HPos::Center, ..self.lettering(SUBTITLE, self.colours.muted) };
        self.canvas.text("No usage in this range", middle, lettering)
    }
}

/// A series as numbers of the screen: runs of values without a gap, times in microseconds.
struct Line {
    runs: Vec<Vec<(i64, f64)>>,
    /// The first and the last time, values or not.
    ends: Option<(i64, i64)>,
}

impl Line {
    fn new(series: &Series) -> Line {
        let mut points = series.points.clone();
        points.sort_by_key(|point| point.at);
        let runs = points
            .split(|point| point.value.is_none())
            .filter(|run| !run.is_empty())
            .map(|run| run.iter().filter_map(|point| Some((point.at.as_micros(), point.value?.to_pixels()))).collect())
            .collect();
        let ends = points.first().zip(points.last()).map(|(first, last)| (first.at.as_micros(), last.at.as_micros()));
        Line { runs, ends }
    }
}

fn is_whole(value: Quantity) -> bool {
    value.parts().1 == 0
}

fn values(lines: &[Line]) -> impl Iterator<Item = f64> {
    lines.iter().flat_map(|line| &line.runs).flatten().map(|(_, value)| *value)
}

fn lowest(lines: &[Line]) -> f64 {
    values(lines).fold(0.0, f64::min)
}

fn highest(lines: &[Line]) -> f64 {
    values(lines).fold(0.0, f64::max)
}

/// The first and last time of all lines.
fn span(lines: &[Line]) -> (i64, i64) {
    let ends = || lines.iter().filter_map(|line| line.ends);
    let from = ends().map(|(from, _)| from).min().unwrap_or(0);
    (from, ends().map(|(_, to)| to).max().unwrap_or(0))
}

/// Where a time lies between the left (0) and the right (1); a single one in the middle.
fn share_of_time(at: f64, from: i64, to: i64) -> f64 {
    let (from, to) = (from as f64, to as f64);
    if to > from { (at - from) / (to - from) } else { 0.5 }
}

/// Of the points within one pixel's width the first, the lowest, the highest and the last: the same picture, bounded in size.
fn thinned(spots: impl Iterator<Item = Spot>) -> Vec<Spot> {
    let mut kept: Vec<Spot> = Vec::new();
    let mut column: Vec<Spot> = Vec::new();
    let flush = |column: &mut Vec<Spot>, kept: &mut Vec<Spot>| {
        if column.len() > 4 {
            let by_height = |a: &&Spot, b: &&Spot| a.1.total_cmp(&b.1);
            let ends =
                [column.first(), column.iter().min_by(by_height), column.iter().max_by(by_height), column.last()];
            let mut ends: Vec<Spot> = ends.into_iter().flatten().copied().collect();
            ends.sort_by(|a, b| a.0.total_cmp(&b.0));
            kept.append(&mut ends);
        } else {
            kept.append(column);
        }
        column.clear();
    };
    for spot in spots {
        if column.first().is_some_and(|first| first.0.floor() != spot.0.floor()) {
            flush(&mut column, &mut kept);
        }
        column.push(spot);
    }
    flush(&mut column, &mut kept);
    kept
}
