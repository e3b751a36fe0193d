//! What plotters leaves out of an SVG: a view box finer than its pixels, a name for those who cannot see it, its typeface.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::chart::ChartError;
use crate::font::{FAMILY, REGULAR_WEB, SEMI_BOLD_WEB, printable};

/// Puts our head on a drawing of `fineness` units to the pixel.
pub(crate) fn dress(
    drawing: &str,
    (width, height): (u32, u32),
    fineness: u32,
    name: &str,
) -> Result<String, ChartError> {
    let body = drawing
        .split_once('>')
        .map(|(_, body)| body)
        .ok_or_else(|| ChartError::Drawing("the drawing has no head".to_owned()))?;
    let (units_wide, units_high) = (width * fineness, height * fineness);
    let name = escape(&printable(name));
    let family = FAMILY.split(',').next().unwrap_or(FAMILY);
    let face = |weight: u32, bytes: &[u8]| {
        format!(
            "@font-face{{font-family:{family};font-weight:{weight};src:url(data:font/woff2;base64,{}) format('woff2')}}",
            STANDARD.encode(bytes)
        )
    };
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {units_wide} {units_high}\" \
         role=\"img\" stroke-linejoin=\"round\" stroke-linecap=\"round\">\n<title>{name}</title>\n<style>{}{}</style>{body}",
        face(400, REGULAR_WEB),
        face(700, SEMI_BOLD_WEB),
    ))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
