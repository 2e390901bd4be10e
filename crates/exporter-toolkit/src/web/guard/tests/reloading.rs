//! Reloads of the file and of those it names.

use super::fixture::{Fixture, dns, tls};
use super::*;

#[test]
fn nothing_happens_while_nothing_changes() {
    let fixture = Fixture::new();
    let guard =
        fixture.tls_guard("client_auth_type: RequireAndVerifyClientCert, client_ca_file: ca.crt");
    assert_eq!(
        guard.reload_blocking().expect("good files"),
        Reloaded::Unchanged
    );
    for file in ["server.crt", "server.key", "ca.crt"] {
        let content = std::fs::read_to_string(fixture.path(file)).expect("readable");
        fixture.write(file, &format!("{content}\n"));
        assert_eq!(
            guard.reload_blocking().expect("good files"),
            Reloaded::Changed,
            "{file}"
        );
        assert_eq!(
            guard.reload_blocking().expect("good files"),
            Reloaded::Unchanged,
            "{file}"
        );
    }
    assert_eq!(
        WebGuard::without_file()
            .expect("a guard")
            .reload_blocking()
            .expect("no file"),
        Reloaded::Unchanged
    );
}

#[tokio::test]
async fn a_bad_file_leaves_all_as_it_was() {
    let fixture = Fixture::new();
    let good = tls("") + "\n" + &users("alice", "right");
    let guard = fixture.guard(&good);
    let other_key = fixture.authority.identity(&[dns("localhost")]).key;
    let server_key = std::fs::read_to_string(fixture.path("server.key")).expect("readable");
    for (file, content, restored) in [
        ("web.yml", "tls_server_config: [", &*good),
        ("web.yml", "", &good),
        ("server.key", &other_key, &server_key),
        ("server.key", "", &server_key),
    ] {
        fixture.write(file, content);
        guard.reload_blocking().expect_err(content);
        assert!(
            fixture.client().can_connect(&guard).await,
            "{file}: {content}"
        );
        assert_eq!(
            guard.check(&anonymous(), CLIENT, Auth::Required).await,
            Err(Rejection::Unauthorized)
        );
        assert_eq!(
            guard
                .check(&login("alice", "right"), CLIENT, Auth::Required)
                .await,
            Ok(())
        );
        fixture.write(file, restored);
        assert_eq!(
            guard.reload_blocking().expect("good files"),
            Reloaded::Unchanged
        );
    }
    std::fs::remove_file(fixture.path("web.yml")).expect("removed");
    assert!(matches!(
        guard.reload_blocking(),
        Err(WebConfigError::Unreadable { .. })
    ));
    assert!(fixture.client().can_connect(&guard).await);
}

#[test]
fn tls_is_neither_switched_on_nor_off_while_serving() {
    let fixture = Fixture::new();
    let guard = fixture.guard("");
    fixture.write("web.yml", &tls(""));
    assert!(matches!(
        guard.reload_blocking(),
        Err(WebConfigError::TlsSwitched)
    ));
    assert_eq!(guard.transport(), Transport::Plain);
    let guard = fixture.tls_guard("");
    fixture.write("web.yml", "");
    assert!(matches!(
        guard.reload_blocking(),
        Err(WebConfigError::TlsSwitched)
    ));
    assert_eq!(guard.transport(), Transport::Tls);
}

#[cfg(unix)]
#[tokio::test(start_paused = true)]
async fn the_swap_of_a_mounted_secret_is_noticed_by_itself() {
    use std::os::unix::fs::symlink;

    let fixture = Fixture::new();
    // As the kubelet does it: each version in a folder of its own, `..data` leads to the present
    // one, and the names that users see lead through it.
    let version = |name: &str, identity: &fixture::Identity| {
        std::fs::create_dir(fixture.path(name)).expect("a folder");
        fixture.write(&format!("{name}/tls.crt"), &identity.certificate);
        fixture.write(&format!("{name}/tls.key"), &identity.key);
        symlink(name, fixture.path("..data_tmp")).expect("a link");
        std::fs::rename(fixture.path("..data_tmp"), fixture.path("..data")).expect("swapped");
    };
    version("..first", &fixture.authority.identity(&[dns("localhost")]));
    for name in ["tls.crt", "tls.key"] {
        symlink(format!("..data/{name}"), fixture.path(name)).expect("a link");
    }
    let guard =
        Arc::new(fixture.guard("tls_server_config: {cert_file: tls.crt, key_file: tls.key}"));
    let next = fixture::Authority::new();
    let client = || fixture::Client {
        trusted: next.certificate(),
        ..fixture.client()
    };
    assert!(!client().can_connect(&guard).await);
    version("..second", &next.identity(&[dns("localhost")]));
    tokio::select! {
        () = guard.clone().keep_current() => {}
        () = tokio::time::sleep(RELOAD_INTERVAL + Duration::from_millis(1)) => {}
    }
    assert!(client().can_connect(&guard).await);
}

#[cfg(unix)]
#[tokio::test]
async fn however_many_ask_for_a_reload_and_go_one_of_them_reads_and_what_it_reads_comes_into_force()
{
    use std::sync::mpsc;

    let fixture = Fixture::new();
    let guard = Arc::new(fixture.guard(&users("alice", "old")));
    let mut active = guard.active.subscribe();
    let file = fixture.path("web.yml");
    std::fs::remove_file(&file).expect("removed");
    assert!(
        std::process::Command::new("mkfifo")
            .args(["-m", "700"])
            .arg(&file)
            .status()
            .expect("a program")
            .success(),
        "a pipe with a name"
    );
    for _ in 0..600 {
        assert!(guard.reload().now_or_never().is_none(), "it hangs");
        // tokio lets a task take so many locks in a row.
        tokio::task::yield_now().await;
    }
    let (say, hear) = mpsc::channel();
    tokio::task::spawn_blocking(move || say.send(()));
    let is_room = hear.recv_timeout(Duration::from_secs(10)).is_ok();
    let mut pipe = std::fs::File::options()
        .write(true)
        .open(&file)
        .expect("it is being read");
    // What is there for those who ask from now on.
    std::fs::remove_file(&file).expect("removed");
    fixture.write("web.yml", &users("alice", "newest"));
    pipe.write_all(users("alice", "new").as_bytes())
        .expect("written");
    drop(pipe);
    assert!(is_room, "there is a thread left");
    active.changed().await.expect("the guard is there");
    assert_eq!(
        guard
            .check(&login("alice", "new"), CLIENT, Auth::Required)
            .await,
        Ok(()),
        "though nobody has waited for it"
    );
    assert_eq!(
        guard.reload().await.expect("a good file"),
        Reloaded::Changed
    );
    assert_eq!(
        guard
            .check(&login("alice", "newest"), CLIENT, Auth::Required)
            .await,
        Ok(())
    );
}
