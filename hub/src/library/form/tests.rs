//! Forms as clients send them, cut at any byte.

use axum::http::HeaderValue;
use futures::TryStreamExt as _;
use proptest::prelude::*;
use rstest::rstest;

use super::*;

const BOUNDARY: &str = "X-BOUNDARY";

fn pieces(body: &[u8], cuts: &[usize]) -> Vec<Bytes> {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| (*cut).min(body.len())).collect();
    cuts.extend([0, body.len()]);
    cuts.sort_unstable();
    cuts.windows(2).map(|pair| Bytes::copy_from_slice(&body[pair[0]..pair[1]])).collect()
}

type Read = Result<(Option<String>, Vec<u8>), (&'static str, String)>;

fn read_pieces(pieces: Vec<Bytes>) -> Read {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let code = |error: Error| match error {
        Error::Invalid { code, detail } => (code, detail),
        other => panic!("{other:?}"),
    };
    runtime.block_on(async {
        let body = stream::iter(pieces.into_iter().map(Ok));
        let file = open(body, BOUNDARY.to_owned()).await.map_err(code)?;
        let bytes: Vec<Bytes> = file.bytes.try_collect().await.map_err(code)?;
        Ok((file.name, bytes.concat()))
    })
}

fn read(body: &str) -> Read {
    let whole = read_pieces(pieces(body.as_bytes(), &[]));
    let bytewise: Vec<usize> = (0..body.len()).collect();
    assert_eq!(read_pieces(pieces(body.as_bytes(), &bytewise)), whole);
    whole
}

fn part(disposition: &str, content: &str) -> String {
    format!("--{BOUNDARY}\r\nContent-Disposition: form-data; {disposition}\r\n\r\n{content}\r\n")
}

const END: &str = "--X-BOUNDARY--\r\n";

#[rstest]
#[case::curl(part("name=\"file\"; filename=\"a.gcode\"", "G28\r\n") + END, Some("a.gcode"), "G28\r\n")]
#[case::any_field(part("name=\"upload\"; filename=\"部品.gcode\"", "G28") + END, Some("部品.gcode"), "G28")]
#[case::octoprint(
    part("name=\"print\"", "true") + &part("name=\"file\"; filename=\"a.gcode\"", "G28\n") + &part("name=\"select\"", "1") + END,
    Some("a.gcode"), "G28\n"
)]
#[case::no_file_name(part("name=\"file\"", "G28\n") + END, None, "G28\n")]
#[case::nothing_chosen_second(
    part("name=\"file\"; filename=\"a.gcode\"", "G28\n") + &part("name=\"more\"; filename=\"\"", "") + END,
    Some("a.gcode"), "G28\n"
)]
#[case::dashes_inside(part("name=\"file\"; filename=\"a\"", "; --X-BOUNDAR\r\n--X-BOUND\r\n") + END, Some("a"), "; --X-BOUNDAR\r\n--X-BOUND\r\n")]
#[case::no_line_end_behind(part("name=\"file\"; filename=\"a\"", "G28") + "--X-BOUNDARY--", Some("a"), "G28")]
#[case::empty(part("name=\"file\"; filename=\"a\"", "") + END, Some("a"), "")]
fn the_file_of_a_form(#[case] body: String, #[case] name: Option<&str>, #[case] content: &str) {
    assert_eq!(read(&body), Ok((name.map(str::to_owned), content.as_bytes().to_vec())));
}

#[rstest]
#[case::no_file(part("name=\"select\"", "1") + END, "no_file")]
#[case::no_part(END.to_owned(), "no_file")]
#[case::two_files(
    part("name=\"file\"; filename=\"a\"", "G28") + &part("name=\"file\"; filename=\"b\"", "G28") + END,
    "several_files"
)]
#[case::cut_off_in_the_file(part("name=\"file\"; filename=\"a\"", "G28\nG1 X1\n"), "upload_incomplete")]
#[case::cut_off_in_the_headers("--X-BOUNDARY\r\nContent-Dispo".to_owned(), "upload_incomplete")]
#[case::no_form("G28\nG1 X1\n".to_owned(), "upload_incomplete")]
#[case::nothing(String::new(), "upload_incomplete")]
#[case::bad_headers("--X-BOUNDARY\r\n\u{0}\u{1}: \r\n\r\nG28\r\n--X-BOUNDARY--".to_owned(), "bad_form")]
fn a_form_that_is_refused(#[case] body: String, #[case] code: &str) {
    let (found, detail) = read(&body).unwrap_err();
    assert_eq!(found, code, "{detail}");
    assert!(detail.ends_with('.'), "{detail}");
}

/// Headers that never end are given up, and hardly more of them is read than may be held.
#[tokio::test]
async fn what_stands_around_the_file_is_bounded() {
    const PIECE: usize = 4096;
    let taken = AtomicU64::new(0);
    let begin = stream::iter([Bytes::from_static(b"--X-BOUNDARY\r\nContent-Disposition: ")]);
    let body = begin.chain(stream::repeat(Bytes::from_static(&[b'x'; PIECE]))).map(|piece| {
        taken.fetch_add(piece.len() as u64, Ordering::Relaxed);
        Ok(piece)
    });
    let opened = open(body, BOUNDARY.to_owned()).await;
    assert!(matches!(opened, Err(Error::Invalid { code: "bad_form", .. })));
    assert!(taken.load(Ordering::Relaxed) <= MAX_WRAPPER_BYTES + 3 * PIECE as u64);
}

/// However fast a body comes, no more of it is held than a piece or two.
#[tokio::test]
async fn a_file_is_handed_on_while_it_comes() {
    const PIECE: usize = 64 * 1024;
    let taken = AtomicU64::new(0);
    let begin = stream::iter([Bytes::from(
        part("name=\"file\"; filename=\"a\"", "").trim_end().to_owned() + "\r\n\r\n",
    )]);
    let body = begin.chain(stream::repeat(Bytes::from_static(&[b'x'; PIECE]))).map(|piece| {
        taken.fetch_add(piece.len() as u64, Ordering::Relaxed);
        Ok(piece)
    });
    let mut file = open(body, BOUNDARY.to_owned()).await.unwrap_or_else(|error| panic!("{error}"));
    let mut handed_on = 0;
    for _ in 0..200 {
        handed_on += file.bytes.next().await.unwrap().unwrap().len() as u64;
        let held = taken.load(Ordering::Relaxed).saturating_sub(handed_on);
        assert!(held <= 3 * PIECE as u64, "{held}");
    }
}

#[rstest]
#[case("multipart/form-data; boundary=abc", Some("abc"))]
#[case("Multipart/Form-Data; charset=utf-8; boundary=\"a b\"", Some("a b"))]
#[case("application/octet-stream", None)]
#[case("text/x.gcode", None)]
fn the_boundary(#[case] kind: &str, #[case] expected: Option<&str>) {
    let headers = [(header::CONTENT_TYPE, HeaderValue::from_str(kind).unwrap())].into_iter().collect();
    assert_eq!(boundary(&headers).unwrap().as_deref(), expected);
}

#[test]
fn a_form_without_a_boundary_is_refused() {
    let headers =
        [(header::CONTENT_TYPE, HeaderValue::from_static("multipart/form-data"))].into_iter().collect();
    assert!(matches!(boundary(&headers), Err(Error::Invalid { code: "bad_form", .. })));
    assert_eq!(boundary(&HeaderMap::new()).unwrap(), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Any bytes, also such as look like the beginning of a boundary, arrive whatever the pieces.
    #[test]
    fn any_file_at_any_cut(
        content in proptest::collection::vec(prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..20),
            proptest::sample::select(vec!["\r\n", "\r", "--", "\r\n--", "\r\n--X-BOUNDAR", "X-BOUNDARY"]).prop_map(|t| t.as_bytes().to_vec()),
        ], 0..30),
        cuts in proptest::collection::vec(0_usize..900, 0..30),
    ) {
        let content = content.concat();
        let whole = format!("\r\n--{BOUNDARY}");
        prop_assume!(memchr_of(&content, whole.as_bytes()).is_none());
        let head = part("name=\"file\"; filename=\"a\"", "");
        let body = [head.trim_end_matches("\r\n").as_bytes(), b"\r\n\r\n", &content, b"\r\n", END.as_bytes()].concat();
        prop_assert_eq!(read_pieces(pieces(&body, &cuts)), Ok((Some("a".to_owned()), content)));
    }

    #[test]
    fn any_bytes(body in proptest::collection::vec(any::<u8>(), 0..300), cuts in proptest::collection::vec(0_usize..300, 0..10)) {
        let _ = read_pieces(pieces(&body, &cuts));
    }
}

fn memchr_of(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}
