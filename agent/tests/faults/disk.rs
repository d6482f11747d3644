//! A small disk for one test, in a mount namespace of its own: filled, emptied, made read-only.
//!
//! Owns: mounting, and saying that it may not be done here. A process (`cat`) keeps the namespace until it is dropped.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// What is mounted.
pub(crate) enum Kind {
    /// Of so many MiB.
    Tmpfs(u32),
    /// A file system that turns read-only in the middle of everything, as that of a worn memory card does. Takes root.
    Ext4,
}

pub(crate) struct Disk {
    holder: Child,
    folder: tempfile::TempDir,
    loop_device: String,
}

/// Whether tests may mount something here; where they may not, it is said (`scripts/test.sh` says it again).
fn may(options: &[&str]) -> bool {
    let tried = Command::new("unshare").args(options).args(["mount", "-t", "tmpfs", "none", "/mnt"]).output();
    let why = match &tried {
        Ok(output) if output.status.success() => return true,
        Ok(output) => String::from_utf8_lossy(&output.stderr).into_owned(),
        Err(error) => error.to_string(),
    };
    assert!(std::env::var_os("CI").is_none(), "no disk can be mounted for this test: {why}");
    println!("NOT RUN: no disk can be mounted for this test: {why}");
    false
}

impl Disk {
    /// None where mounting is not allowed: the test can't be run.
    pub(crate) fn mounted(kind: &Kind) -> Option<Self> {
        if !may(&options()) || matches!(kind, Kind::Ext4) && !is_root() {
            println!("NOT RUN: a loop device takes root");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("disk")).unwrap();
        let mount = match kind {
            Kind::Tmpfs(size) => format!("mount -t tmpfs -o size={size}m tmpfs disk"),
            Kind::Ext4 => "truncate -s 16M image && mkfs.ext4 -q image && \
                 mount -o loop,errors=remount-ro image disk"
                .into(),
        };
        let mut holder = Command::new("unshare")
            .args(options())
            .args(["sh", "-c", &format!("{mount} && findmnt -no SOURCE $PWD/disk && exec cat")])
            .current_dir(folder.path())
            .env("PATH", path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(holder.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(!line.is_empty(), "it was not mounted");
        let loop_device = line.trim().trim_start_matches("/dev/").to_owned();
        Some(Self { holder, folder, loop_device })
    }

    /// Where it is, for whoever is inside.
    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("disk")
    }

    /// Where the test sees it.
    pub(crate) fn seen(&self) -> PathBuf {
        let path = self.path();
        Path::new(&format!("/proc/{}/root", self.holder.id())).join(path.strip_prefix("/").unwrap())
    }

    /// A command that runs inside; its process is the program's.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--mount", "-t", &self.holder.id().to_string()]);
        if !is_root() {
            command.args(["--user", "--preserve-credentials"]);
        }
        command.env("PATH", path()).arg(program);
        command
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let output = self.command(program).args(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// Leaves not a byte.
    pub(crate) fn fill(&self) {
        let mut file = OpenOptions::new().append(true).create(true).open(self.seen().join("filler")).unwrap();
        for piece in [1 << 20, 1 << 12, 1] {
            while file.write_all(&vec![0x55; piece]).is_ok() {}
        }
        let _ = file.sync_all();
    }

    /// Up to a few pages: a journal has room there, and no print file.
    pub(crate) fn nearly_fill(&self) {
        self.fill();
        let filler = OpenOptions::new().write(true).open(self.seen().join("filler")).unwrap();
        filler.set_len(filler.metadata().unwrap().len() - (32 << 10)).unwrap();
    }

    pub(crate) fn empty(&self) {
        std::fs::remove_file(self.seen().join("filler")).unwrap();
    }

    /// Nobody may have a file open for writing.
    pub(crate) fn remount(&self, how: &str) {
        self.run("mount", &["-o", &format!("remount,{how}"), self.path().to_str().unwrap()]);
    }

    /// A fault of the disk, which its file system answers by turning read-only, whoever writes to it.
    pub(crate) fn turn_read_only(&self) {
        let trigger = format!("/sys/fs/ext4/{}/trigger_fs_error", self.loop_device);
        File::options().write(true).open(trigger).unwrap().write_all(b"a test").unwrap();
    }

    /// As after the host was started anew.
    pub(crate) fn mount_anew(&mut self) {
        let (image, disk) = (self.folder.path().join("image"), self.path());
        self.run("umount", &[disk.to_str().unwrap()]);
        self.run("mount", &["-o", "loop", image.to_str().unwrap(), disk.to_str().unwrap()]);
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

fn options() -> Vec<&'static str> {
    if is_root() { vec!["--mount"] } else { vec!["--mount", "--map-root-user"] }
}

/// mkfs is not in everybody's.
fn path() -> String {
    format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default())
}
