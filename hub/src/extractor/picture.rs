//! A picture as browsers show it: PNG and JPEG as they are, QOI made into PNG.
//!
//! Owns: the conversion, within bounds. Must not know: which of a file's pictures is wanted.

use std::borrow::Cow;
use std::io::Read as _;

use stardust_gcode::thumbnail::{Format, Thumbnail};

/// The most pixels that are decoded: 16 MB of memory. QOI can say more in a few bytes.
const MAX_PIXELS: u64 = 2048 * 2048;

/// A run of 62 pixels (QOI's specification, `QOI_OP_RUN`).
const LONGEST_RUN: u8 = 0xFD;
/// The marker at a stream's end takes so many bytes.
const END_BYTES: usize = 8;

/// The picture's media type and bytes; none when it can't be shown.
pub(super) fn for_browsers(picture: &Thumbnail) -> Option<(&'static str, Cow<'_, [u8]>)> {
    match picture.format {
        Format::Png | Format::Jpeg => Some((picture.format.media_type(), Cow::Borrowed(&picture.data))),
        Format::Qoi => Some((Format::Png.media_type(), Cow::Owned(png_of_qoi(&picture.data)?))),
    }
}

/// As the format's reference decoder does, a stream that ends too early is filled up with its last pixel: some
/// slicers' streams do, and printers' screens show them.
fn png_of_qoi(data: &[u8]) -> Option<Vec<u8>> {
    let chunks = data.get(..data.len().checked_sub(END_BYTES)?)?;
    let mut decoder = qoi::Decoder::from_stream(chunks.chain(std::io::repeat(LONGEST_RUN))).ok()?;
    let header = *decoder.header();
    if u64::from(header.width) * u64::from(header.height) > MAX_PIXELS {
        return None;
    }
    let mut pixels = vec![0; decoder.required_buf_len()];
    match decoder.decode_to_buf(&mut pixels) {
        // The padding stands where the decoder looks for its end marker: all pixels are there by then.
        Ok(_) | Err(qoi::Error::InvalidPadding) => {}
        Err(_) => return None,
    }
    let mut png = Vec::new();
    let mut encoder = png::Encoder::new(&mut png, header.width, header.height);
    encoder.set_color(if header.channels.is_rgba() { png::ColorType::Rgba } else { png::ColorType::Rgb });
    let mut writer = encoder.write_header().ok()?;
    writer.write_image_data(&pixels).ok()?;
    writer.finish().ok()?;
    Some(png)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn qoi(data: Vec<u8>) -> Thumbnail {
        Thumbnail { format: Format::Qoi, width: 1, height: 1, data }
    }

    fn decoded(png: &[u8]) -> (u32, u32, Vec<u8>) {
        let mut reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        pixels.truncate(info.buffer_size());
        (info.width, info.height, pixels)
    }

    fn header(width: u32, height: u32) -> Vec<u8> {
        [b"qoif".as_slice(), &width.to_be_bytes(), &height.to_be_bytes(), &[4, 0]].concat()
    }

    #[test]
    fn other_pictures_are_handed_on() {
        let picture = Thumbnail { format: Format::Jpeg, width: 1, height: 1, data: vec![1, 2] };
        let (media_type, data) = for_browsers(&picture).unwrap();
        assert_eq!((media_type, data.as_ref()), ("image/jpeg", [1, 2].as_slice()));
    }

    /// Reported: QOI under the tag of a PNG, and with fewer pixels than its header says.
    #[test]
    fn the_reported_picture_is_shown() {
        let mut scanner = stardust_gcode::scan::MetadataScanner::new();
        scanner.feed(include_bytes!("../../../fixtures/reported/thumb-qoi-under-thumbnail.gcode"));
        let found = scanner.finish();
        let (media_type, data) = for_browsers(&found.thumbnails[0]).unwrap();
        let (width, height, pixels) = decoded(&data);
        assert_eq!((media_type, width, height, pixels.len()), ("image/png", 16, 16, 16 * 16 * 4));
    }

    #[test]
    fn a_stream_that_ends_early_is_filled_up() {
        // One red pixel, then nothing but the end marker.
        let stream = [0xFE, 255, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
        let picture = qoi([header(3, 2), stream.to_vec()].concat());
        let (media_type, data) = for_browsers(&picture).unwrap();
        assert_eq!(media_type, "image/png");
        assert_eq!(decoded(&data), (3, 2, [255, 0, 0, 255].repeat(6)));
    }

    #[test]
    fn what_would_take_too_much_memory_is_not_decoded() {
        let end = [0, 0, 0, 0, 0, 0, 0, 1];
        assert!(for_browsers(&qoi([header(2048, 2048), end.to_vec()].concat())).is_some());
        assert!(for_browsers(&qoi([header(2049, 2048), end.to_vec()].concat())).is_none());
        assert!(for_browsers(&qoi([header(u32::MAX, u32::MAX), end.to_vec()].concat())).is_none());
        assert!(for_browsers(&qoi([header(0, 5), end.to_vec()].concat())).is_none());
    }

    proptest! {
        #[test]
        fn every_pixel_arrives(width in 1_u32..20, height in 1_u32..20, seed: u64, alpha: bool) {
            let bytes = (width * height * if alpha { 4 } else { 3 }) as usize;
            // Few colours, so that runs and the index are used too.
            let pixels: Vec<u8> = (0..bytes).map(|n| (seed.rotate_left(n as u32 / 7) & 0x43) as u8).collect();
            let picture = qoi(qoi::encode_to_vec(&pixels, width, height).unwrap());
            let (_, png) = for_browsers(&picture).unwrap();
            prop_assert_eq!(decoded(&png), (width, height, pixels));
        }

        #[test]
        fn any_bytes(body in proptest::collection::vec(any::<u8>(), 0..200), width in 0_u32..60, height in 0_u32..60) {
            let _ = for_browsers(&qoi([header(width, height), body.clone()].concat()));
            let _ = for_browsers(&qoi(body));
        }
    }
}
