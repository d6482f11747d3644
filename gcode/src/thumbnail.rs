//! Pictures that slicers put into comments: `; thumbnail begin 640x480 16440`, base64, `; thumbnail end`.
//!
//! Owns: collecting, decoding and choosing them, within bounds. Must not know: what is in a picture beyond
//! its size.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// The biggest picture that is kept, in bytes; slicers write some tens of KiB.
pub const MAX_BYTES: usize = 2 * 1024 * 1024;
/// How many pictures of one file are kept.
pub const MAX_COUNT: usize = 16;
/// The largest side of a picture that a dashboard is given when there is a choice, in pixels.
pub const MAX_DASHBOARD_PX: u32 = 1024;
/// How many bytes all pictures of one file may take together.
const MAX_TOTAL_BYTES: usize = 4 * MAX_BYTES;

/// How a picture is encoded, judged by its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// PNG.
    Png,
    /// JPEG.
    Jpeg,
    /// QOI, which printers' own screens show and browsers do not.
    Qoi,
}

impl Format {
    /// The media type.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Qoi => "image/qoi",
        }
    }

    /// Whether browsers show it.
    #[must_use]
    pub const fn is_for_browsers(self) -> bool {
        matches!(self, Self::Png | Self::Jpeg)
    }

    fn of(data: &[u8]) -> Option<Self> {
        let signatures: [(&[u8], Self); 3] =
            [(b"\x89PNG\r\n\x1a\n", Self::Png), (b"\xFF\xD8\xFF", Self::Jpeg), (b"qoif", Self::Qoi)];
        signatures.into_iter().find(|(signature, _)| data.starts_with(signature)).map(|(_, format)| format)
    }
}

/// One picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thumbnail {
    /// How it is encoded.
    pub format: Format,
    /// Width in pixels: the picture's own (PNG, QOI), or what the slicer says (JPEG).
    pub width: u32,
    /// Height in pixels, likewise.
    pub height: u32,
    /// The encoded picture.
    pub data: Vec<u8>,
}

/// The pictures in the order in which a web dashboard prefers them: the largest with no side over
/// [`MAX_DASHBOARD_PX`] first, then the larger ones, smallest first; of the same size those that browsers show as
/// they are. The caller takes the first that it can show.
#[must_use]
pub fn by_preference(thumbnails: &[Thumbnail]) -> Vec<&Thumbnail> {
    let mut pictures: Vec<&Thumbnail> = thumbnails.iter().collect();
    pictures.sort_by_key(|picture| {
        let area = u64::from(picture.width) * u64::from(picture.height);
        let fits = picture.width.max(picture.height) <= MAX_DASHBOARD_PX;
        (!fits, if fits { u64::MAX - area } else { area }, !picture.format.is_for_browsers())
    });
    pictures
}

/// Collects pictures from the comment lines of a file.
#[derive(Debug, Default)]
pub(crate) struct Collector {
    open: Option<Open>,
    done: Vec<Thumbnail>,
    total_bytes: usize,
}

/// A picture whose end has not come yet.
#[derive(Debug)]
struct Open {
    width: u32,
    height: u32,
    base64: Vec<u8>,
    too_big: bool,
}

impl Collector {
    /// Takes in the text of a comment line, without its `;`. True when it belongs to a picture.
    pub(crate) fn comment(&mut self, text: &[u8]) -> bool {
        let text = text.trim_ascii();
        if let Some(rest) = text.strip_prefix(b"thumbnail") {
            // `thumbnail`, `thumbnail_JPG`, `thumbnail_QOI`, `thumbnail_PNG`.
            let word = rest.iter().position(|byte| *byte == b' ').unwrap_or(rest.len());
            let (_, rest) = rest.split_at(word);
            if let Some(size) = rest.strip_prefix(b" begin ") {
                self.open = size_of(size).map(|(width, height)| Open {
                    width,
                    height,
                    base64: Vec::new(),
                    too_big: false,
                });
                return true;
            }
            if rest == b" end" {
                self.close();
                return true;
            }
        }
        let Some(open) = &mut self.open else { return false };
        if open.base64.len() + text.len() > MAX_BYTES / 3 * 4 {
            open.too_big = true;
            open.base64 = Vec::new();
        }
        if !open.too_big {
            open.base64.extend(text.iter().filter(|byte| !matches!(byte, b'=' | b' ')));
        }
        true
    }

    /// A command or a line that could not be read: no picture goes on behind it.
    pub(crate) fn interrupt(&mut self) {
        self.open = None;
    }

    pub(crate) fn into_thumbnails(self) -> Vec<Thumbnail> {
        self.done
    }

    fn close(&mut self) {
        let Some(open) = self.open.take() else { return };
        if open.too_big || self.done.len() >= MAX_COUNT {
            return;
        }
        let Ok(data) = STANDARD_NO_PAD.decode(&open.base64) else { return };
        if self.total_bytes + data.len() > MAX_TOTAL_BYTES {
            return;
        }
        let Some(format) = Format::of(&data) else { return };
        let (width, height) = true_size(format, &data).unwrap_or((open.width, open.height));
        if width > 0 && height > 0 {
            self.total_bytes += data.len();
            self.done.push(Thumbnail { format, width, height, data });
        }
    }
}

/// `640x480 16440`.
fn size_of(text: &[u8]) -> Option<(u32, u32)> {
    let text = std::str::from_utf8(text).ok()?;
    let (width, height) = text.split_ascii_whitespace().next()?.split_once('x')?;
    Some((width.parse().ok()?, height.parse().ok()?))
}

/// What the picture itself says; a JPEG says it too far inside to look.
fn true_size(format: Format, data: &[u8]) -> Option<(u32, u32)> {
    let at = match format {
        Format::Png => 16,
        Format::Qoi => 4,
        Format::Jpeg => return None,
    };
    let field = |at: usize| Some(u32::from_be_bytes(data.get(at..at + 4)?.try_into().ok()?));
    Some((field(at)?, field(at + 4)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::STANDARD;
    use rstest::rstest;

    fn png(width: u32, height: u32, length: usize) -> Vec<u8> {
        let mut data = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
        data.extend(width.to_be_bytes());
        data.extend(height.to_be_bytes());
        data.resize(length.max(data.len()), 7);
        data
    }

    fn collect(lines: &[String]) -> Vec<Thumbnail> {
        let mut collector = Collector::default();
        for line in lines {
            collector.comment(line.as_bytes());
        }
        collector.into_thumbnails()
    }

    fn block(tag: &str, size: &str, data: &[u8]) -> Vec<String> {
        let text = STANDARD.encode(data);
        let mut lines = vec![format!(" {tag} begin {size} {}", text.len())];
        lines.extend(text.as_bytes().chunks(78).map(|c| format!(" {}", String::from_utf8_lossy(c))));
        lines.push(format!(" {tag} end"));
        lines
    }

    #[rstest]
    #[case::png("thumbnail", png(32, 16, 1000), Format::Png, (32, 16))]
    #[case::png_under_a_wrong_name("thumbnail_JPG", png(32, 16, 1001), Format::Png, (32, 16))]
    #[case::jpeg("thumbnail_JPG", b"\xFF\xD8\xFF\xE0 and so on".to_vec(), Format::Jpeg, (300, 200))]
    #[case::qoi("thumbnail_QOI", b"qoif\0\0\0\x20\0\0\0\x10\x04\0".to_vec(), Format::Qoi, (32, 16))]
    fn one_picture(
        #[case] tag: &str,
        #[case] data: Vec<u8>,
        #[case] format: Format,
        #[case] size: (u32, u32),
    ) {
        let (width, height) = size;
        assert_eq!(collect(&block(tag, "300x200", &data)), [Thumbnail { format, width, height, data }]);
    }

    #[test]
    fn a_picture_too_big_is_left_out_and_never_held() {
        let mut collector = Collector::default();
        collector.comment(b" thumbnail begin 9000x9000 999999999");
        let line = [b'A'; 78];
        for _ in 0..100_000 {
            assert!(collector.comment(&line));
            assert!(collector.open.as_ref().unwrap().base64.capacity() <= 2 * MAX_BYTES / 3 * 4);
        }
        collector.comment(b" thumbnail end");
        for line in block("thumbnail", "8x8", &png(8, 8, 100)) {
            collector.comment(line.as_bytes());
        }
        assert_eq!(collector.into_thumbnails().len(), 1);
    }

    #[rstest]
    #[case::not_base64(vec![" thumbnail begin 8x8 4".into(), " ????".into(), " thumbnail end".into()])]
    #[case::not_a_picture(block("thumbnail", "8x8", b"hello"))]
    #[case::no_size(block("thumbnail", "big", &png(8, 8, 100)))]
    #[case::no_end(block("thumbnail", "8x8", &png(8, 8, 100))[..2].to_vec())]
    #[case::no_begin(vec![" thumbnail end".into()])]
    #[case::empty(block("thumbnail", "8x8", b""))]
    #[case::no_area(block("thumbnail", "8x8", &png(0, 8, 100)))]
    fn broken_pictures_are_left_out(#[case] lines: Vec<String>) {
        assert_eq!(collect(&lines), []);
    }

    #[test]
    fn a_command_ends_a_picture() {
        let mut collector = Collector::default();
        let lines = block("thumbnail", "8x8", &png(8, 8, 1000));
        let (head, tail) = lines.split_at(3);
        for line in head {
            collector.comment(line.as_bytes());
        }
        collector.interrupt();
        for line in tail {
            collector.comment(line.as_bytes());
        }
        assert_eq!(collector.into_thumbnails(), []);
    }

    #[test]
    fn the_number_of_pictures_is_bounded() {
        let lines: Vec<String> = (0..100).flat_map(|_| block("thumbnail", "8x8", &png(8, 8, 30))).collect();
        assert_eq!(collect(&lines).len(), MAX_COUNT);
    }

    #[rstest]
    #[case::largest_that_fits(
        &[(Format::Png, 32), (Format::Jpeg, 640), (Format::Png, 1025)],
        &[(Format::Jpeg, 640), (Format::Png, 32), (Format::Png, 1025)]
    )]
    #[case::smallest_of_the_too_large(
        &[(Format::Png, 4000), (Format::Jpeg, 2000)],
        &[(Format::Jpeg, 2000), (Format::Png, 4000)]
    )]
    #[case::for_browsers_first(
        &[(Format::Qoi, 640), (Format::Png, 640), (Format::Qoi, 700)],
        &[(Format::Qoi, 700), (Format::Png, 640), (Format::Qoi, 640)]
    )]
    #[case::none(&[], &[])]
    fn preferred(#[case] pictures: &[(Format, u32)], #[case] expected: &[(Format, u32)]) {
        let pictures: Vec<Thumbnail> = pictures
            .iter()
            .map(|(format, side)| Thumbnail { format: *format, width: *side, height: *side, data: vec![] })
            .collect();
        let found: Vec<_> = by_preference(&pictures).into_iter().map(|t| (t.format, t.width)).collect();
        assert_eq!(found, expected);
    }
}
