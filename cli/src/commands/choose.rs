//! Which printer, file or job a person means by a word.
//!
//! Owns: that an id is taken as it is, a name must fit exactly one, and what is said otherwise. Must not
//! know: what is done with the choice.

use crate::api::{Client, PrintFile, PrintJob, Printer, is_id};
use crate::error::CliError;

/// The id of the printer that is meant.
pub(crate) async fn printer(client: &Client, word: &str) -> Result<String, CliError> {
    if is_id(word) {
        return Ok(word.to_owned());
    }
    let printers: Vec<Printer> = client.parse_all(&client.list("api/v1/printers", &[], usize::MAX).await?)?;
    printer_among(&printers, word).map_err(CliError::Failed)
}

fn printer_among(printers: &[Printer], word: &str) -> Result<String, String> {
    let named: Vec<&Printer> = printers.iter().filter(|printer| same(&printer.name, word)).collect();
    match named.as_slice() {
        [printer] => Ok(printer.id.clone()),
        [] => {
            let names: Vec<&str> = printers.iter().map(|printer| printer.name.as_str()).collect();
            Err(format!("there is no printer “{word}”; there are: {}", list(&names)))
        }
        several => Err(format!(
            "several printers are called “{word}”: give the id of one: {}",
            ids(several, |p| &p.id)
        )),
    }
}

/// The ids of the printers that are meant, and what is wrong with the words that mean none.
pub(crate) async fn printers(
    client: &Client,
    words: &[String],
) -> Result<(Vec<String>, Vec<String>), CliError> {
    if words.iter().all(|word| is_id(word)) {
        return Ok((words.to_vec(), Vec::new()));
    }
    let printers: Vec<Printer> = client.parse_all(&client.list("api/v1/printers", &[], usize::MAX).await?)?;
    let (mut ids, mut strangers) = (Vec::new(), Vec::new());
    for word in words {
        if is_id(word) {
            ids.push(word.clone());
            continue;
        }
        match printer_among(&printers, word) {
            Ok(id) => ids.push(id),
            Err(reason) => strangers.push(reason),
        }
    }
    Ok((ids, strangers))
}

/// The id of the library's file that is meant.
pub(crate) async fn file(client: &Client, word: &str) -> Result<String, CliError> {
    if is_id(word) {
        return Ok(word.to_owned());
    }
    let files: Vec<PrintFile> = client.parse_all(&client.list("api/v1/files", &[], usize::MAX).await?)?;
    files.iter().find(|file| file.name == word).map(|file| file.id.clone()).ok_or_else(|| {
        CliError::Failed(format!("there is no file “{word}” here, and none in the hub's library"))
    })
}

/// The id of the job that is meant: by its id, its file's name, or the name of the printer it is on. Where several fit the word, and one
/// of them `may` be meant by what is asked of it, it is that.
pub(crate) async fn job(
    client: &Client,
    word: &str,
    may: impl Fn(&PrintJob) -> bool,
) -> Result<String, CliError> {
    if is_id(word) {
        return Ok(word.to_owned());
    }
    let printers: Vec<Printer> = client.parse_all(&client.list("api/v1/printers", &[], usize::MAX).await?)?;
    let jobs = active_jobs(client).await?;
    job_among(&printers, &jobs, word, may).map_err(CliError::Failed)
}

fn job_among(
    printers: &[Printer],
    jobs: &[PrintJob],
    word: &str,
    may: impl Fn(&PrintJob) -> bool,
) -> Result<String, String> {
    let mut found: Vec<&str> =
        jobs.iter().filter(|job| same(&job.file_name, word)).map(|job| job.id.as_str()).collect();
    let named = printers.iter().filter(|printer| same(&printer.name, word));
    for id in named.filter_map(|printer| printer.current_job_id.as_deref()) {
        if !found.contains(&id) {
            found.push(id);
        }
    }
    let of = |id: &str| jobs.iter().find(|job| job.id == id);
    let meant: Vec<&str> = found.iter().copied().filter(|id| of(id).is_some_and(&may)).collect();
    if let ([_, _, ..], [id]) = (found.as_slice(), meant.as_slice()) {
        return Ok((*id).to_owned());
    }
    match found.as_slice() {
        [id] => Ok((*id).to_owned()),
        [] => {
            Err(format!("no unfinished job has the id, file or printer “{word}”; `stardust jobs` lists them"))
        }
        several => {
            let told = several.iter().map(|id| match of(id) {
                Some(PrintJob { state, printer_name: Some(printer), .. }) => {
                    format!("{id} ({} on {printer})", state.replace('_', " "))
                }
                Some(job) => format!("{id} ({})", job.state.replace('_', " ")),
                None => (*id).to_owned(),
            });
            let told: Vec<String> = told.collect();
            Err(crate::output::printable(&format!(
                "“{word}” fits several jobs: give the id of one: {}",
                told.join(", ")
            )))
        }
    }
}

/// The only job there is to watch.
pub(crate) async fn only_job(client: &Client) -> Result<String, CliError> {
    only_among(&active_jobs(client).await?).map_err(CliError::Failed)
}

fn only_among(jobs: &[PrintJob]) -> Result<String, String> {
    let unprinted: Vec<&PrintJob> = jobs.iter().filter(|job| job.state != "awaiting_removal").collect();
    match unprinted.as_slice() {
        [job] => Ok(job.id.clone()),
        [] => Err("no job is waiting or printing".into()),
        several => Err(format!("there are several jobs: name one: {}", ids(several, |job| &job.id))),
    }
}

/// The jobs that are not done.
pub(crate) async fn active_jobs(client: &Client) -> Result<Vec<PrintJob>, CliError> {
    client.parse_all(&client.list("api/v1/jobs", &[("scope", "active")], usize::MAX).await?)
}

fn same(name: &str, word: &str) -> bool {
    name.to_lowercase() == word.to_lowercase()
}

fn ids<T>(items: &[&T], id: impl Fn(&T) -> &String) -> String {
    let ids: Vec<&str> = items.iter().map(|item| id(item).as_str()).collect();
    list(&ids)
}

fn list(names: &[&str]) -> String {
    if names.is_empty() { "none".into() } else { crate::output::printable(&names.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn printers() -> Vec<Printer> {
        serde_json::from_str(
            r#"[{"id":"p1","name":"Ada","state":"printing","current_job_id":"j1"},
                {"id":"p2","name":"Bo","state":"idle"},{"id":"p3","name":"bo","state":"idle"}]"#,
        )
        .unwrap()
    }

    fn jobs() -> Vec<PrintJob> {
        serde_json::from_str(
            r#"[{"id":"j1","file_name":"a.gcode","state":"printing"},
                {"id":"j2","file_name":"b.gcode","state":"queued"},
                {"id":"j3","file_name":"b.gcode","state":"awaiting_removal"}]"#,
        )
        .unwrap()
    }

    #[rstest]
    #[case("ada", Ok("p1"))]
    #[case("Bo", Err("several printers are called “Bo”: give the id of one: p2, p3"))]
    #[case("Cy", Err("there is no printer “Cy”; there are: Ada, Bo, bo"))]
    fn printers_by_name(#[case] word: &str, #[case] expected: Result<&str, &str>) {
        let found = printer_among(&printers(), word);
        assert_eq!(found.as_deref().map_err(String::as_str), expected);
    }

    #[rstest]
    #[case("a.gcode", Ok("j1"))]
    #[case("ADA", Ok("j1"))]
    #[case(
        "b.gcode",
        Err("“b.gcode” fits several jobs: give the id of one: j2 (queued), j3 (awaiting removal)")
    )]
    #[case("Bo", Err("no unfinished job has the id, file or printer “Bo”; `stardust jobs` lists them"))]
    fn jobs_by_word(#[case] word: &str, #[case] expected: Result<&str, &str>) {
        let found = job_among(&printers(), &jobs(), word, |_| false);
        assert_eq!(found.as_deref().map_err(String::as_str), expected);
    }

    #[test]
    fn of_several_the_one_that_can_be_meant() {
        let awaits = |job: &PrintJob| job.state == "awaiting_removal";
        assert_eq!(job_among(&printers(), &jobs(), "b.gcode", awaits).as_deref(), Ok("j3"));
        assert_eq!(
            job_among(&printers(), &jobs(), "a.gcode", awaits).as_deref(),
            Ok("j1"),
            "the hub says why not"
        );
        assert!(job_among(&printers(), &jobs(), "b.gcode", |_| true).is_err());
    }

    #[test]
    fn the_only_job() {
        assert_eq!(only_among(&jobs()[1..]), Ok("j2".into()));
        assert!(only_among(&jobs()).unwrap_err().contains("j1, j2"));
        assert!(only_among(&[]).is_err());
    }
}
