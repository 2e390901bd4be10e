//! The choice of the connection to close, and the time of its closing.

use std::net::Ipv4Addr;

use super::*;
use crate::web::server::limits::Timeouts;

const SECOND: Duration = Duration::from_secs(1);
const ONE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
const OTHER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2));

fn table(connections: usize, timeouts: Timeouts) -> Arc<ConnectionTable> {
    ConnectionTable::new(Limits {
        timeouts,
        connections,
        unsent: 100,
        ..Limits::default()
    })
}

fn open(table: &Arc<ConnectionTable>) -> Arc<ConnectionActivity> {
    table.open(ONE).expect("there is room")
}

fn is_closed(connection: &ConnectionActivity) -> bool {
    connection.close().is_cancelled()
}

fn admit(connection: &Arc<ConnectionActivity>) -> RequestGuard {
    let request = connection.request();
    assert!(request.admit(), "there is a permit");
    request
}

/// A connection whose response is being sent.
fn respond(connection: &Arc<ConnectionActivity>, body: &Bytes) -> RequestGuard {
    let request = admit(connection);
    request.respond(body);
    request
}

/// Lets a connection have its response.
fn finish(connection: &Arc<ConnectionActivity>) {
    drop(respond(connection, &Bytes::new()));
}

#[tokio::test(start_paused = true)]
async fn the_cap_closes_whatever_has_rested_for_longest_and_never_an_admitted_request() {
    let table = table(4, Timeouts::default());
    let second = async || tokio::time::advance(SECOND).await;
    let handled = open(&table);
    let _handled = admit(&handled);
    second().await;
    let unread = open(&table);
    let _unread = respond(&unread, &Bytes::new());
    second().await;
    let idle = open(&table);
    finish(&idle);
    second().await;
    let new = open(&table);
    let mut admitted = Vec::new();
    for expected in [&unread, &idle, &new] {
        second().await;
        assert!(!is_closed(expected));
        let next = open(&table);
        assert!(is_closed(expected));
        admitted.push((admit(&next), next));
    }
    assert!(table.open(ONE).is_none(), "all requests are being handled");
    assert!(!is_closed(&handled));
}

#[tokio::test(start_paused = true)]
async fn the_cap_closes_the_connection_without_progress_for_longest() {
    let table = table(3, Timeouts::default());
    let body = Bytes::from_static(b"page");
    let connections = [(); 3].map(|()| open(&table));
    let requests = [0, 1, 2].map(|index| respond(&connections[index], &body));
    tokio::time::advance(SECOND).await;
    requests[0].progress();
    requests[2].progress();
    let _new = open(&table);
    assert_eq!(
        connections.each_ref().map(|one| is_closed(one)),
        [false, true, false]
    );
}

#[tokio::test(start_paused = true)]
async fn the_cap_closes_connections_of_the_client_that_has_the_most() {
    let table = table(4, Timeouts::default());
    let lone = table.open(OTHER).expect("there is room");
    tokio::time::advance(SECOND).await;
    let crowd: Vec<_> = (0..20).map(|_| open(&table)).collect();
    assert!(!is_closed(&lone));
    assert_eq!(crowd.iter().filter(|one| is_closed(one)).count(), 17);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_ends_makes_room_and_a_closed_one_does_not_count_twice() {
    let table = table(1, Timeouts::default());
    let first = open(&table);
    let second = open(&table);
    assert!(is_closed(&first));
    let request = admit(&second);
    drop(first.request());
    drop(first);
    assert!(table.open(ONE).is_none());
    drop(request);
    drop(second);
    assert!(table.open(ONE).is_some());
}

/// A table with so many permits.
fn with_permits(requests: u32) -> Arc<ConnectionTable> {
    ConnectionTable::new(Limits {
        requests,
        ..Limits::default()
    })
}

#[tokio::test(start_paused = true)]
async fn a_permit_is_free_again_once_the_response_is_known() {
    let table = with_permits(1);
    let [first, second] = [(); 2].map(|()| open(&table));
    let request = admit(&first);
    assert!(!second.request().admit());
    request.respond(&Bytes::from_static(b"page"));
    admit(&second).respond(&Bytes::new());
    drop(admit(&first));
    let _third = admit(&second);
    assert!(!is_closed(&first) && !is_closed(&second));
}

#[tokio::test(start_paused = true)]
async fn a_request_that_has_waited_for_long_gives_its_permit_up() {
    let table = with_permits(2);
    let connections = [(); 3].map(|()| open(&table));
    let [first, second, third] = &connections;
    let _first = admit(first);
    tokio::time::advance(FAIR_TIME / 2).await;
    let (_second, request) = (admit(second), third.request());
    assert!(!request.admit(), "for how long the others ask");
    tokio::time::advance(FAIR_TIME / 2).await;
    assert!(request.admit(), "the first has waited");
    assert!(!open(&table).request().admit(), "the others have not");
    let closed = connections.each_ref().map(|one| is_closed(one));
    assert_eq!(closed, [true, false, false]);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_has_all_permits_gives_some_up_for_another() {
    let table = with_permits(4);
    let greedy = [(); 4].map(|()| open(&table));
    let _greedy = greedy.each_ref().map(admit);
    let others = [(); 3].map(|()| table.open(OTHER).expect("there is room"));
    let _fair = [admit(&others[0]), admit(&others[1])];
    assert!(!others[2].request().admit(), "each has half");
    assert!(!open(&table).request().admit(), "each has half");
    assert_eq!(greedy.iter().filter(|one| is_closed(one)).count(), 2);
    tokio::time::advance(FAIR_TIME).await;
    let _more = [(); 20].map(|()| open(&table).request().admit());
    assert!(others.iter().all(|one| !is_closed(one)), "it has less");
}

#[tokio::test(start_paused = true)]
async fn zero_is_no_limit_of_requests() {
    let table = with_permits(0);
    let connection = open(&table);
    let _requests: Vec<_> = (0..1000).map(|_| admit(&connection)).collect();
}

#[tokio::test(start_paused = true)]
async fn pages_that_nobody_takes_make_room_for_a_new_one() {
    let table = table(10, Timeouts::default());
    let page = || Bytes::from(vec![0; 40]);
    let connections = [(); 4].map(|()| open(&table));
    let [stalled, taking, shared, new] = &connections;
    let (first, second) = (page(), page());
    let requests = [(stalled, &first), (taking, &second), (shared, &second)];
    let requests = requests.map(|(connection, page)| respond(connection, page));
    tokio::time::advance(SECOND).await;
    requests[1].progress();
    let closed = || connections.each_ref().map(|one| is_closed(one));
    assert_eq!(closed(), [false; 4], "80 bytes, since two share a page");
    let _new = respond(new, &page());
    assert_eq!(closed(), [true, false, false, false]);
    // Whatever its length.
    let _large = respond(&open(&table), &Bytes::from(vec![0; 1000]));
    assert_eq!(closed(), [true; 4]);
}

#[tokio::test(start_paused = true)]
async fn each_state_has_its_time_out_and_an_admitted_request_has_none() {
    let timeouts = Timeouts {
        head: 10 * SECOND,
        idle: 20 * SECOND,
        send: 40 * SECOND,
        ..Timeouts::default()
    };
    let (table, start) = (table(10, timeouts), Instant::now());
    let _enforce = tokio::spawn(Arc::clone(&table).enforce());
    let connections = [(); 5].map(|()| open(&table));
    let [_new, idle, stalled, taking, handled] = &connections;
    finish(idle);
    let body = Bytes::from_static(b"page");
    let (_stalled, taking) = (respond(stalled, &body), respond(taking, &body));
    // Another request does not keep the connection of an unread response open.
    let (_behind, _handled) = (admit(stalled), admit(handled));
    // Each at its time, and at most an eighth of the shortest late.
    for (seconds, closed) in [
        (9, 0),
        (12, 1),
        (18, 1),
        (22, 2),
        (39, 2),
        (42, 3),
        (78, 3),
        (82, 4),
        (1000, 4),
    ] {
        tokio::time::sleep_until(start + seconds * SECOND).await;
        if seconds == 39 {
            taking.progress();
        }
        let found: Vec<_> = connections.iter().map(|one| is_closed(one)).collect();
        let expected: Vec<_> = (0..5).map(|index| index < closed).collect();
        assert_eq!(found, expected, "after {seconds} s");
    }
}

#[tokio::test(start_paused = true)]
async fn at_the_end_a_client_that_takes_its_response_slowly_gets_no_more_time() {
    let (table, start) = (table(10, Timeouts::default()), Instant::now());
    let _enforce = tokio::spawn(Arc::clone(&table).enforce());
    let [slow, handled] = [(); 2].map(|()| open(&table));
    let request = respond(&slow, &Bytes::from_static(b"page"));
    let _handled = admit(&handled);
    table.drain();
    while !is_closed(&slow) {
        tokio::time::sleep(SECOND).await;
        request.progress();
    }
    assert!(start.elapsed() <= 7 * SECOND, "{:?}", start.elapsed());
    assert!(!is_closed(&handled), "it has a permit");
}
