//! The built-in typeface, and how wide a text is in it.

use std::sync::LazyLock;

use ab_glyph::{Font, FontRef, InvalidFont, PxScale, PxScaleFont, ScaleFont};
use plotters::style::FontStyle;

use crate::chart::ChartError;

/// What an SVG asks for: the embedded face, or where a viewer ignores it, what comes close.
pub(crate) const FAMILY: &str = "Inter, system-ui, sans-serif";
pub(crate) const REGULAR_WEB: &[u8] = include_bytes!("../assets/Inter-Regular.woff2");
pub(crate) const SEMI_BOLD_WEB: &[u8] = include_bytes!("../assets/Inter-SemiBold.woff2");

type Face = FontRef<'static>;

static REGULAR: LazyLock<Result<Face, InvalidFont>> =
    LazyLock::new(|| FontRef::try_from_slice(include_bytes!("../assets/Inter-Regular.ttf")));
static SEMI_BOLD: LazyLock<Result<Face, InvalidFont>> =
    LazyLock::new(|| FontRef::try_from_slice(include_bytes!("../assets/Inter-SemiBold.ttf")));

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weight {
    Regular,
    SemiBold,
}

impl Weight {
    /// What comes closest among the weights that plotters knows.
    pub(crate) const fn style(self) -> FontStyle {
        match self {
            Weight::Regular => FontStyle::Normal,
            Weight::SemiBold => FontStyle::Bold,
        }
    }

    /// The face, `size` pixels to the em.
    pub(crate) fn face(self, size: f64) -> Result<PxScaleFont<&'static Face>, ChartError> {
        let face = match self {
            Weight::Regular => &*REGULAR,
            Weight::SemiBold => &*SEMI_BOLD,
        };
        let face = face.as_ref().map_err(|error| ChartError::Drawing(error.to_string()))?;
        // The scale of a face is the height of its line, not of its em.
        let em = face.units_per_em().unwrap_or(1.0);
        Ok(face.as_scaled(PxScale::from(size as f32 * face.height_unscaled() / em)))
    }
}

/// A text that can be drawn: no line ends or other controls, and nothing that XML does not allow.
pub(crate) fn printable(text: &str) -> String {
    text.chars()
        .filter(|letter| !matches!(letter, '\u{fffe}' | '\u{ffff}'))
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect()
}

/// How wide a text is at a size in pixels to the em.
pub(crate) fn width(text: &str, weight: Weight, size: f64) -> Result<f64, ChartError> {
    let face = weight.face(size)?;
    Ok(text.chars().map(|letter| f64::from(face.h_advance(face.glyph_id(letter)))).sum())
}

/// As much of a text as fits, ending in an ellipsis if that is not all.
pub(crate) fn fit(text: &str, weight: Weight, size: f64, room: f64) -> Result<String, ChartError> {
    // No text worth drawing is longer, and measuring must not take for ever.
    let mut fitting: String = printable(text).chars().take(500).collect();
    if width(&fitting, weight, size)? <= room {
        return Ok(fitting);
    }
    while fitting.pop().is_some() {
        let cut = format!("{}…", fitting.trim_end());
        if width(&cut, weight, size)? <= room {
            return Ok(cut);
        }
    }
    Ok(String::new())
}
