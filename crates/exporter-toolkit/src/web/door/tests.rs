//! One request at the door, and the swap of its files; handshakes below.

mod handshake;
mod stage;

use std::io::Write as _;
use std::net::Ipv4Addr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::FutureExt as _;
use http::{Request, header};

use self::stage::{Stage, dns, tls};
use super::*;

const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

fn anonymous() -> Parts {
    Request::new(()).into_parts().0
}

fn login(user: &str, password: &str) -> Parts {
    let value = format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
    Request::builder()
        .header(header::AUTHORIZATION, value)
        .body(())
        .expect("a request")
        .into_parts()
        .0
}

fn users(user: &str, password: &str) -> String {
    format!(
        "basic_auth_users: {{{user}: {}}}\n",
        bcrypt::hash(password, 4).expect("hashes")
    )
}

#[tokio::test(start_paused = true)]
async fn a_request_needs_a_password_first_and_a_token_then() {
    let stage = Stage::new();
    let door = stage.door(&(users("alice", "right") + "rate_limit: {interval: 60s, burst: 2}"));
    let unauthorized = Err(Refusal::Unauthorized);
    assert_eq!(
        door.check(&anonymous(), CLIENT, Passage::Guarded).await,
        unauthorized
    );
    for _more_than_the_burst in 0..5 {
        assert_eq!(
            door.check(&login("alice", "wrong"), CLIENT, Passage::Guarded)
                .await,
            unauthorized
        );
    }
    let right = login("alice", "right");
    assert_eq!(door.check(&right, CLIENT, Passage::Guarded).await, Ok(()));
    assert_eq!(door.check(&right, CLIENT, Passage::Guarded).await, Ok(()));
    let too_many = Err(Refusal::TooMany {
        retry_after: Duration::from_secs(60),
    });
    assert_eq!(door.check(&right, CLIENT, Passage::Guarded).await, too_many);
    tokio::time::advance(Duration::from_secs(60)).await;
    assert_eq!(door.check(&right, CLIENT, Passage::Guarded).await, Ok(()));
}

#[tokio::test]
async fn health_checks_need_neither_password_nor_token() {
    let stage = Stage::new();
    let door = stage.door(&(users("alice", "right") + "rate_limit: {interval: 1h}"));
    for _more_than_the_burst in 0..5 {
        assert_eq!(
            door.check(&anonymous(), CLIENT, Passage::Open).await,
            Ok(())
        );
    }
    assert_eq!(
        door.check(&login("alice", "right"), CLIENT, Passage::Guarded)
            .await,
        Ok(()),
        "the token is still there"
    );
}

#[tokio::test]
async fn an_interval_without_burst_lets_one_through() {
    let door = Stage::new().door("rate_limit: {interval: 1h}");
    assert_eq!(
        door.check(&anonymous(), CLIENT, Passage::Guarded).await,
        Ok(())
    );
    assert!(
        door.check(&anonymous(), CLIENT, Passage::Guarded)
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_password_is_swapped_while_serving() {
    let stage = Stage::new();
    let door = stage.door(&users("alice", "old"));
    assert_eq!(
        door.check(&login("alice", "old"), CLIENT, Passage::Guarded)
            .await,
        Ok(())
    );
    stage.write("web.yml", &users("alice", "new"));
    assert_eq!(door.reload().expect("a good file"), Reloaded::Changed);
    assert_eq!(
        door.check(&login("alice", "old"), CLIENT, Passage::Guarded)
            .await,
        Err(Refusal::Unauthorized)
    );
    assert_eq!(
        door.check(&login("alice", "new"), CLIENT, Passage::Guarded)
            .await,
        Ok(())
    );
}

#[tokio::test]
async fn a_reload_does_not_fill_the_bucket() {
    let stage = Stage::new();
    let door = stage.door("rate_limit: {interval: 1h}");
    assert_eq!(
        door.check(&anonymous(), CLIENT, Passage::Guarded).await,
        Ok(())
    );
    stage.write("web.yml", "rate_limit: {interval: 60m, burst: 1}");
    assert_eq!(door.reload().expect("a good file"), Reloaded::Changed);
    assert!(
        door.check(&anonymous(), CLIENT, Passage::Guarded)
            .await
            .is_err()
    );
    stage.write("web.yml", "");
    assert_eq!(door.reload().expect("a good file"), Reloaded::Changed);
    assert_eq!(
        door.check(&anonymous(), CLIENT, Passage::Guarded).await,
        Ok(())
    );
}

#[tokio::test]
async fn connections_and_requests_can_each_have_a_task() {
    let door = Arc::new(Stage::new().tls_door(""));
    let (taken_in, checked) = (door.clone(), door);
    tokio::spawn(async move { taken_in.accept(tokio::io::empty()).await })
        .await
        .expect("no panic")
        .expect_err("nothing was sent");
    tokio::spawn(async move { checked.check(&anonymous(), CLIENT, Passage::Guarded).await })
        .await
        .expect("no panic")
        .expect("no users");
}

#[test]
fn headers_follow_the_file() {
    let stage = Stage::new();
    let door = stage.door("http_server_config: {headers: {X-Frame-Options: deny}}");
    let headers = |door: &Door| {
        let mut headers = HeaderMap::new();
        door.add_headers(&mut headers);
        headers
            .into_iter()
            .map(|(name, value)| (name.expect("a name").to_string(), value))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        headers(&door),
        [(
            "x-frame-options".to_owned(),
            "deny".parse().expect("a value")
        )]
    );
    stage.write(
        "web.yml",
        "http_server_config: {headers: {X-XSS-Protection: 0}}",
    );
    assert_eq!(door.reload().expect("a good file"), Reloaded::Changed);
    assert_eq!(
        headers(&door),
        [("x-xss-protection".to_owned(), "0".parse().expect("a value"))]
    );
}

#[test]
fn nothing_happens_while_nothing_changes() {
    let stage = Stage::new();
    let door =
        stage.tls_door("client_auth_type: RequireAndVerifyClientCert, client_ca_file: ca.crt");
    assert_eq!(door.reload().expect("good files"), Reloaded::Unchanged);
    for file in ["server.crt", "server.key", "ca.crt"] {
        let content = std::fs::read_to_string(stage.path(file)).expect("readable");
        stage.write(file, &format!("{content}\n"));
        assert_eq!(
            door.reload().expect("good files"),
            Reloaded::Changed,
            "{file}"
        );
        assert_eq!(
            door.reload().expect("good files"),
            Reloaded::Unchanged,
            "{file}"
        );
    }
    assert_eq!(
        Door::unguarded()
            .expect("a door")
            .reload()
            .expect("no file"),
        Reloaded::Unchanged
    );
}

#[tokio::test]
async fn a_bad_file_leaves_all_as_it_was() {
    let stage = Stage::new();
    let good = tls("") + "\n" + &users("alice", "right");
    let door = stage.door(&good);
    let other_key = stage.authority.identity(&[dns("localhost")]).key;
    let server_key = std::fs::read_to_string(stage.path("server.key")).expect("readable");
    for (file, content, restored) in [
        ("web.yml", "tls_server_config: [", &*good),
        ("web.yml", "", &good),
        ("server.key", &other_key, &server_key),
        ("server.key", "", &server_key),
    ] {
        stage.write(file, content);
        door.reload().expect_err(content);
        assert!(stage.client().gets_in(&door).await, "{file}: {content}");
        assert_eq!(
            door.check(&anonymous(), CLIENT, Passage::Guarded).await,
            Err(Refusal::Unauthorized)
        );
        assert_eq!(
            door.check(&login("alice", "right"), CLIENT, Passage::Guarded)
                .await,
            Ok(())
        );
        stage.write(file, restored);
        assert_eq!(door.reload().expect("good files"), Reloaded::Unchanged);
    }
    std::fs::remove_file(stage.path("web.yml")).expect("removed");
    assert!(matches!(
        door.reload(),
        Err(WebConfigError::Unreadable { .. })
    ));
    assert!(stage.client().gets_in(&door).await);
}

#[test]
fn tls_is_neither_switched_on_nor_off_while_serving() {
    let stage = Stage::new();
    let door = stage.door("");
    stage.write("web.yml", &tls(""));
    assert!(matches!(door.reload(), Err(WebConfigError::TlsSwitched)));
    assert_eq!(door.transport(), Transport::Plain);
    let door = stage.tls_door("");
    stage.write("web.yml", "");
    assert!(matches!(door.reload(), Err(WebConfigError::TlsSwitched)));
    assert_eq!(door.transport(), Transport::Tls);
}

#[cfg(unix)]
#[tokio::test(start_paused = true)]
async fn the_swap_of_a_mounted_secret_is_noticed_by_itself() {
    use std::os::unix::fs::symlink;

    let stage = Stage::new();
    // As the kubelet does it: each version in a folder of its own, `..data` leads to the present
    // one, and the names that users see lead through it.
    let version = |name: &str, identity: &stage::Identity| {
        std::fs::create_dir(stage.path(name)).expect("a folder");
        stage.write(&format!("{name}/tls.crt"), &identity.certificate);
        stage.write(&format!("{name}/tls.key"), &identity.key);
        symlink(name, stage.path("..data_tmp")).expect("a link");
        std::fs::rename(stage.path("..data_tmp"), stage.path("..data")).expect("swapped");
    };
    version("..first", &stage.authority.identity(&[dns("localhost")]));
    for name in ["tls.crt", "tls.key"] {
        symlink(format!("..data/{name}"), stage.path(name)).expect("a link");
    }
    let door = Arc::new(stage.door("tls_server_config: {cert_file: tls.crt, key_file: tls.key}"));
    let next = stage::Authority::new();
    let client = || stage::Client {
        trusted: next.certificate(),
        ..stage.client()
    };
    assert!(!client().gets_in(&door).await);
    version("..second", &next.identity(&[dns("localhost")]));
    tokio::select! {
        () = door.clone().keep_current() => {}
        () = tokio::time::sleep(RELOAD_INTERVAL + Duration::from_millis(1)) => {}
    }
    assert!(client().gets_in(&door).await);
}

#[cfg(unix)]
#[tokio::test]
async fn however_many_ask_for_a_reload_and_go_one_of_them_reads_and_what_it_reads_comes_into_force()
{
    use std::sync::mpsc;

    let stage = Stage::new();
    let door = Arc::new(stage.door(&users("alice", "old")));
    let mut live = door.live.subscribe();
    let file = stage.path("web.yml");
    std::fs::remove_file(&file).expect("removed");
    assert!(
        std::process::Command::new("mkfifo")
            .arg(&file)
            .status()
            .expect("a program")
            .success(),
        "a pipe with a name"
    );
    for _ in 0..600 {
        assert!(door.reload_apart().now_or_never().is_none(), "it hangs");
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
    stage.write("web.yml", &users("alice", "newest"));
    pipe.write_all(users("alice", "new").as_bytes())
        .expect("written");
    drop(pipe);
    assert!(is_room, "there is a thread left");
    live.changed().await.expect("the door is there");
    assert_eq!(
        door.check(&login("alice", "new"), CLIENT, Passage::Guarded)
            .await,
        Ok(()),
        "though nobody has waited for it"
    );
    assert_eq!(
        door.reload_apart().await.expect("a good file"),
        Reloaded::Changed
    );
    assert_eq!(
        door.check(&login("alice", "newest"), CLIENT, Passage::Guarded)
            .await,
        Ok(())
    );
}

#[test]
fn a_door_that_cannot_open_says_all_that_is_wrong() {
    let stage = Stage::new();
    stage.write(
        "web.yml",
        "tls_server_config: {cert_file: absent.crt, min_version: SSL3}",
    );
    let error = Door::open(&stage.path("web.yml"))
        .err()
        .expect("mistakes")
        .to_string();
    for path in ["min_version", "cert_file", "key_file"] {
        assert!(
            error.contains(&format!("tls_server_config.{path}: ")),
            "{path} is not in: {error}"
        );
    }
    assert!(matches!(
        Door::open(&stage.path("absent.yml")),
        Err(WebConfigError::Unreadable { .. })
    ));
}
