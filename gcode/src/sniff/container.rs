//! Files that hold G-code inside something else, told by their first bytes.
//!
//! Owns: which wrapping a file has, and the sentence about it. Must not know: how a wrapping is taken off,
//! and what is inside.

use std::fmt;

/// What G-code can be wrapped in. `Display` gives a sentence for a person: what the file is and what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Container {
    /// A gzip stream (RFC 1952): `.gz`.
    Gzip,
    /// Binary G-code of Prusa (libbgcode's specification: the file begins with `GCDE`): `.bgcode`.
    Bgcode,
    /// A 3MF project, as OrcaSlicer and Bambu Studio export it: `.3mf`, `.gcode.3mf`.
    ThreeMf,
    /// An UltiMaker Format Package, as Cura exports it: `.ufp`.
    Ufp,
    /// Some other zip archive.
    Zip,
    /// The body of a web form (multipart/form-data, RFC 7578) that was stored with its wrapper.
    Multipart,
}

impl fmt::Display for Container {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gzip => {
                "This is a gzip-compressed file (.gz). Unpack it (gunzip) and use the plain G-code inside."
            }
            Self::Bgcode => {
                "This is binary G-code (.bgcode). Switch off binary G-code in the slicer's printer settings, \
                 export again and use that file."
            }
            Self::ThreeMf => {
                "This is a 3MF project (.3mf), not plain G-code. Export plain G-code from the slicer \
                 (\"Export G-code\", not the sliced file or project) and use that file."
            }
            Self::Ufp => {
                "This is an UltiMaker package (.ufp), not plain G-code. Choose \"G-code\" as the file's type \
                 when saving from Cura and use that file."
            }
            Self::Zip => {
                "This is a zip archive (.zip). Export plain G-code from the slicer, or unpack the archive, \
                 and use the G-code."
            }
            Self::Multipart => {
                "This is a web form's upload, stored with its wrapper: there is a header before the G-code \
                 and a boundary behind it. Export the G-code from the slicer again and use that file."
            }
        })
    }
}

/// The wrapping of a file, from its first bytes; none for a file that is not wrapped.
#[must_use]
pub fn container(head: &[u8]) -> Option<Container> {
    let head = head.get(..super::WINDOW).unwrap_or(head);
    match head {
        [0x1F, 0x8B, ..] => Some(Container::Gzip),
        [b'P', b'K', 3, 4, ..] => Some(of_zip(head)),
        // An archive that is empty or one of several volumes.
        [b'P', b'K', 5, 6, ..] | [b'P', b'K', 7, 8, ..] => Some(Container::Zip),
        [b'G', b'C', b'D', b'E', ..] => Some(Container::Bgcode),
        [b'-', b'-', ..] if is_form(head) => Some(Container::Multipart),
        _ => None,
    }
}

/// By the names of the first entries. Where the name stands in an entry's header: PKWARE's APPNOTE, 4.3.7.
fn of_zip(head: &[u8]) -> Container {
    let mut of_a_package = false;
    for at in memchr::memmem::find_iter(head, b"PK\x03\x04") {
        let Some(name) = name_of_entry(head.get(at..).unwrap_or_default()) else { continue };
        match name {
            // UFP is the one kind whose names begin with a slash (libCharon).
            [b'/', ..] => return Container::Ufp,
            name if name.ends_with(b".gcode") && !name.starts_with(b"Metadata/") => return Container::Zip,
            b"3D/3dmodel.model" => return Container::ThreeMf,
            name if name.starts_with(b"Metadata/") => return Container::ThreeMf,
            // Both kinds are packages (OPC) and have this one; 3MF writes it first.
            b"[Content_Types].xml" | b"_rels/.rels" => of_a_package = true,
            _ => {}
        }
    }
    if of_a_package { Container::ThreeMf } else { Container::Zip }
}

fn name_of_entry(header: &[u8]) -> Option<&[u8]> {
    let length = u16::from_le_bytes(header.get(26..28)?.try_into().ok()?);
    header.get(30..30 + usize::from(length))
}

/// A boundary line, then header lines, of which one says that this is a form's part.
fn is_form(head: &[u8]) -> bool {
    /// RFC 2046: a boundary has at most 70 characters; with its two dashes.
    const MAX_BOUNDARY: usize = 72;
    const MAX_HEADERS: usize = 16;
    let mut lines = head.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii_end);
    let is_boundary = lines.next().is_some_and(|line| line.len() > 2 && line.len() <= MAX_BOUNDARY);
    is_boundary
        && lines.take(MAX_HEADERS).take_while(|line| !line.is_empty()).any(|line| {
            let name = b"content-disposition:";
            line.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn entry(name: &str) -> Vec<u8> {
        let mut header = b"PK\x03\x04".to_vec();
        header.resize(26, 0);
        header.extend(u16::try_from(name.len()).unwrap().to_le_bytes());
        header.extend([0, 0]);
        header.extend(name.as_bytes());
        header.extend(b"some compressed bytes");
        header
    }

    fn zip(names: &[&str]) -> Vec<u8> {
        names.iter().flat_map(|name| entry(name)).collect()
    }

    #[rstest]
    #[case::gzip(b"\x1F\x8B\x08\x08".to_vec(), Some(Container::Gzip))]
    #[case::bgcode(b"GCDE\x01\0\0\0\x01\0".to_vec(), Some(Container::Bgcode))]
    #[case::ufp(zip(&["/3D/model.gcode"]), Some(Container::Ufp))]
    #[case::ufp_picture_first(zip(&["/Metadata/thumbnail.png", "/3D/model.gcode"]), Some(Container::Ufp))]
    #[case::orca(zip(&["[Content_Types].xml", "Metadata/plate_1.png"]), Some(Container::ThreeMf))]
    #[case::model(zip(&["3D/3dmodel.model"]), Some(Container::ThreeMf))]
    #[case::package(zip(&["[Content_Types].xml"]), Some(Container::ThreeMf))]
    #[case::zipped(zip(&["bracket.gcode"]), Some(Container::Zip))]
    #[case::zip(zip(&["letter.txt"]), Some(Container::Zip))]
    #[case::zip_cut_off(b"PK\x03\x04....".to_vec(), Some(Container::Zip))]
    #[case::empty_zip(b"PK\x05\x06".to_vec(), Some(Container::Zip))]
    #[case::curl(b"------------------------d74496d66958873e\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nG28\r\n".to_vec(), Some(Container::Multipart))]
    #[case::type_first(b"--x\r\nContent-Type: text/plain\r\ncontent-disposition: form-data; name=f\r\n\r\nG28\r\n".to_vec(), Some(Container::Multipart))]
    #[case::line_feeds_only(b"--x\nContent-Disposition: form-data\n\nG28\n".to_vec(), Some(Container::Multipart))]
    #[case::dashes(b"-- made by hand\nG28\n".to_vec(), None)]
    #[case::dashes_alone(b"--\nContent-Disposition: form-data\n".to_vec(), None)]
    #[case::behind_the_headers(b"--x\r\n\r\nContent-Disposition: form-data\r\n".to_vec(), None)]
    #[case::gcode(b"G28\n".to_vec(), None)]
    #[case::nothing(Vec::new(), None)]
    fn told_by_the_first_bytes(#[case] head: Vec<u8>, #[case] expected: Option<Container>) {
        assert_eq!(container(&head), expected);
    }

    #[rstest]
    #[case(Container::Gzip, ".gz")]
    #[case(Container::Bgcode, ".bgcode")]
    #[case(Container::ThreeMf, ".3mf")]
    #[case(Container::Ufp, ".ufp")]
    #[case(Container::Zip, ".zip")]
    #[case(Container::Multipart, "web form")]
    fn a_sentence_names_the_kind_and_what_to_do(#[case] kind: Container, #[case] name: &str) {
        let sentence = kind.to_string();
        assert!(
            sentence.contains(name) && sentence.contains("use ") && sentence.contains("G-code"),
            "{sentence}"
        );
    }
}
