//! What is copied where, and the text of every refusal.

use super::*;

struct App {
    folder: tempfile::TempDir,
    copies: tempfile::TempDir,
}

impl App {
    /// A folder `app` with files, each of which holds its own path, and `outside.txt` beside it.
    fn new(files: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("outside.txt"), "outside").unwrap();
        for file in files {
            let path = folder.path().join("app").join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, file).unwrap();
        }
        Self {
            folder,
            copies: tempfile::tempdir().unwrap(),
        }
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("app")
    }

    fn component(&self, files: Vec<FileMount>, exclude: &[&str]) -> Component {
        Component {
            id: "a".to_owned(),
            files,
            exclude_files: exclude.iter().map(|one| (*one).to_owned()).collect(),
            ..Component::default()
        }
    }

    fn copy(
        &self,
        files: Vec<FileMount>,
        exclude: &[&str],
    ) -> Result<Vec<(String, String)>, String> {
        let place = self.copies.path().join("a");
        let mounts = copy(
            &self.component(files, exclude),
            &self.root(),
            &place,
            &[self.root().join(".chatly")],
        )
        .map_err(|error| {
            error
                .to_string()
                .replace(&self.root().display().to_string(), "APP")
        })?;
        assert_eq!(mounts.len(), 1);
        assert_eq!((mounts[0].guest.as_str(), &mounts[0].host), ("/", &place));
        let mut found = Vec::new();
        for path in glob::glob(&place.join("**/*").to_string_lossy()).unwrap() {
            let path = path.unwrap();
            if path.is_file() {
                let guest = path.strip_prefix(&place).unwrap().display().to_string();
                found.push((guest, std::fs::read_to_string(path).unwrap()));
            }
        }
        found.sort();
        Ok(found)
    }
}

fn pattern(text: &str) -> FileMount {
    FileMount::Pattern(text.to_owned())
}

fn place(source: &str, destination: &str) -> FileMount {
    FileMount::Placement {
        source: source.into(),
        destination: destination.to_owned(),
    }
}

const FILES: [&str; 6] = [
    "one.txt",
    "static/a.txt",
    "static/b.css",
    "static/.hidden",
    "static/deep/c.txt",
    "static/deep/secret",
];

#[test]
fn files_lie_where_spin_puts_them() {
    let all = vec![
        ("static/.hidden", "static/.hidden"),
        ("static/a.txt", "static/a.txt"),
        ("static/b.css", "static/b.css"),
        ("static/deep/c.txt", "static/deep/c.txt"),
        ("static/deep/secret", "static/deep/secret"),
    ];
    for (name, mounts, exclude, want) in [
        (
            "one file",
            vec![pattern("one.txt")],
            vec![],
            vec![("one.txt", "one.txt")],
        ),
        (
            "a file that is named is not excluded",
            vec![pattern("static/a.txt")],
            vec!["**/*"],
            vec![("static/a.txt", "static/a.txt")],
        ),
        (
            "one level",
            vec![pattern("static/*.txt")],
            vec![],
            vec![("static/a.txt", "static/a.txt")],
        ),
        ("all levels", vec![pattern("static/**/*")], vec![], all),
        (
            "exclusions, whose * goes over slashes",
            vec![pattern("static/**/*")],
            vec!["**/secret", "static/.*", "*.css"],
            vec![
                ("static/a.txt", "static/a.txt"),
                ("static/deep/c.txt", "static/deep/c.txt"),
            ],
        ),
        (
            "a directory to a place",
            vec![place("static/deep", "/x")],
            vec!["static/deep/secret"],
            vec![("x/c.txt", "static/deep/c.txt")],
        ),
        (
            "a directory to the root",
            vec![place("static/deep", "/")],
            vec![],
            vec![
                ("c.txt", "static/deep/c.txt"),
                ("secret", "static/deep/secret"),
            ],
        ),
        (
            "a file to a place, without the first slash",
            vec![place("one.txt", "y/two.txt")],
            vec![],
            vec![("y/two.txt", "one.txt")],
        ),
        (
            "a directory without a place, as on Spin",
            vec![pattern("static/deep")],
            vec!["**/secret"],
            vec![("static/deep/static/deep/c.txt", "static/deep/c.txt")],
        ),
        ("no match", vec![pattern("static/*.png")], vec![], vec![]),
        (
            "the later wins",
            vec![pattern("one.txt"), place("static/a.txt", "/one.txt")],
            vec![],
            vec![("one.txt", "static/a.txt")],
        ),
    ] {
        let got = App::new(&FILES).copy(mounts, &exclude).unwrap();
        let got: Vec<_> = got
            .iter()
            .map(|(path, text)| (path.as_str(), text.as_str()))
            .collect();
        assert_eq!(got, want, "{name}");
    }
}

#[test]
fn a_component_without_files_sees_no_folder() {
    let app = App::new(&FILES);
    let component = app.component(vec![], &[]);
    let none = Path::new("/nowhere");
    assert_eq!(copy(&component, none, none, &[]).unwrap(), []);
    assert_eq!(direct(&component, none, &[]).unwrap(), []);
}

#[cfg(unix)]
#[test]
fn nothing_comes_from_outside() {
    use std::os::unix::fs::symlink;
    let outside = |path: &str| {
        format!(
            "[component.a] files: {path} is outside of APP; a component may only have files from there"
        )
    };
    let app = App::new(&FILES);
    symlink(app.folder.path(), app.root().join("link")).unwrap();
    symlink("../../outside.txt", app.root().join("static/link.txt")).unwrap();
    for (name, mount, want) in [
        (
            "..",
            pattern("../outside.txt"),
            outside("APP/../outside.txt"),
        ),
        (
            "a pattern",
            pattern("../*.txt"),
            outside("APP/../outside.txt"),
        ),
        (
            "a source",
            place("../outside.txt", "/x"),
            outside("APP/../outside.txt"),
        ),
        (
            "an absolute path",
            pattern("/etc/hostname"),
            outside("/etc/hostname"),
        ),
        (
            "a link to a file",
            pattern("static/link.*"),
            outside("APP/static/link.txt"),
        ),
        (
            "a link to a directory",
            place("link", "/x"),
            outside("APP/link"),
        ),
    ] {
        let error = app.copy(vec![mount], &[]).expect_err(name);
        assert_eq!(error, want, "{name}");
    }
}

#[test]
fn what_cannot_be_copied_is_named() {
    for (name, mount, exclude, want) in [
        (
            "a path that is not there",
            pattern("nothing.txt"),
            "",
            "[component.a] files: \"nothing.txt\" does not exist and is no pattern; check the path, which starts at the folder of spin.toml",
        ),
        (
            "a source that is not there",
            place("nothing", "/"),
            "",
            "[component.a] files: \"nothing\" does not exist and is no pattern; check the path, which starts at the folder of spin.toml",
        ),
        (
            "a broken pattern",
            pattern("a[*"),
            "",
            "[component.a] files: \"a[*\" is no pattern: Pattern syntax error near position",
        ),
        (
            "a broken exclusion",
            pattern("one.txt"),
            "***",
            "[component.a] exclude_files: \"***\" is no pattern: Pattern syntax error near position",
        ),
        (
            "a file at the root",
            place("one.txt", "/"),
            "",
            "[component.a] files: \"/\" is no name for the file APP/one.txt; write the file's whole path in the guest",
        ),
        (
            "a file in a folder",
            place("one.txt", "/x/"),
            "",
            "[component.a] files: \"/x/\" is no name for the file APP/one.txt; write the file's whole path in the guest",
        ),
        (
            "a file above the root",
            place("one.txt", "/../x"),
            "",
            "[component.a] files: \"/../x\" is no name for the file APP/one.txt; write the file's whole path in the guest",
        ),
    ] {
        let exclude: Vec<&str> = Some(exclude)
            .into_iter()
            .filter(|one| !one.is_empty())
            .collect();
        let error = App::new(&FILES).copy(vec![mount], &exclude).unwrap_err();
        assert!(error.starts_with(want), "{name}: {error}");
    }
}

#[test]
fn direct_mounts_are_the_directories_themselves() {
    let app = App::new(&FILES);
    let mounts = |files, exclude: &[&str]| {
        direct(
            &app.component(files, exclude),
            &app.root(),
            &[app.root().join(".chatly")],
        )
        .map_err(|error| {
            error
                .to_string()
                .replace(&app.root().display().to_string(), "APP")
        })
    };
    let got = mounts(vec![place("static", "/s"), pattern("static/deep")], &[]).unwrap();
    let mount = |host: &str, guest: &str| Mount {
        host: app.root().join(host),
        guest: guest.to_owned(),
    };
    assert_eq!(
        got,
        [mount("static", "/s"), mount("static/deep", "static/deep")]
    );
    for (files, exclude, want) in [
        (
            vec![pattern("static/*")],
            vec![],
            "[component.a] files: \"static/*\" is no directory, and --direct-mounts takes nothing else; start without it",
        ),
        (
            vec![place("..", "/")],
            vec![],
            "[component.a] files: APP/.. is outside of APP; a component may only have files from there",
        ),
        (
            vec![pattern("static")],
            vec!["x"],
            "[component.a] exclude_files: --direct-mounts cannot leave files out; start without it",
        ),
    ] {
        assert_eq!(mounts(files, &exclude).unwrap_err(), want);
    }
}

#[test]
fn what_is_the_hosts_own_is_left_out_and_refused_by_name() {
    let app = App::new(&["a.txt", ".chatly/secrets.toml", ".chatly/sqlite/default.db"]);
    let a = [("a.txt".to_owned(), "a.txt".to_owned())];
    for mount in [pattern("**/*"), place(".", "/")] {
        assert_eq!(app.copy(vec![mount], &[]).unwrap(), a);
    }
    for named in [".chatly/secrets.toml", ".chatly", "./.chatly"] {
        let error = app.copy(vec![pattern(named)], &[]).unwrap_err();
        assert!(error.contains("the host's own"), "{error}");
    }
    let own = [app.root().join(".chatly")];
    for (name, source) in [
        ("itself", ".chatly"),
        ("what holds it", "."),
        ("below", ".chatly/sqlite"),
    ] {
        let component = app.component(vec![place(source, "/")], &[]);
        let error = direct(&component, &app.root(), &own).expect_err(name);
        assert!(matches!(error, Error::Own { .. }), "{name}: {error}");
    }
}

#[test]
fn an_absolute_pattern_is_refused_and_its_file_left_as_it_is() {
    let app = App::new(&["a.txt"]);
    let file = app.root().join("a.txt");
    let error = app
        .copy(vec![pattern(&file.display().to_string())], &[])
        .unwrap_err();
    assert!(error.contains("is absolute"), "{error}");
    assert_eq!(std::fs::read_to_string(file).unwrap(), "a.txt");
}

#[test]
fn the_folder_of_the_application_is_no_pattern() {
    for name in ["a[b]", "[ab", "a*b", "a?b", "ab]"] {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join(name);
        for file in ["s/one.txt", "s/d[1]/two.txt"] {
            let path = root.join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, file).unwrap();
        }
        for (files, want) in [
            (pattern("s/*.txt"), "s/one.txt"),
            (pattern("s/**/two.txt"), "s/d[1]/two.txt"),
            (pattern("s/d[1]"), "s/d[1]/s/d[1]/two.txt"),
            (place("s/d[1]", "/"), "two.txt"),
        ] {
            let copies = tempfile::tempdir().unwrap();
            let component = Component {
                files: vec![files.clone()],
                ..Component::default()
            };
            copy(&component, &root, copies.path(), &[]).unwrap();
            assert!(copies.path().join(want).is_file(), "{name}: {files:?}");
        }
    }
}

#[cfg(unix)]
#[test]
fn a_file_that_two_entries_bring_is_replaced_not_written_into() {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    let app = App::new(&["s/one.txt"]);
    let file = app.root().join("s/one.txt");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o444)).unwrap();
    let both = vec![pattern("s/*"), pattern("s/*.txt"), pattern("s/one.txt")];
    let want = [("s/one.txt".to_owned(), "s/one.txt".to_owned())];
    assert_eq!(app.copy(both, &[]).unwrap(), want);

    // Root writes into anything, so see that a copy made before is left alone.
    let copied = app.copies.path().join("a/s/one.txt");
    let before = std::fs::File::open(&copied).unwrap();
    app.copy(vec![pattern("s/*")], &[]).unwrap();
    let now = std::fs::metadata(&copied).unwrap();
    assert_ne!(before.metadata().unwrap().ino(), now.ino());
    assert_eq!(std::fs::read_to_string(&copied).unwrap(), "s/one.txt");
}
