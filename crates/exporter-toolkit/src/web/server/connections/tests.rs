//! The choice of the connection to close, and the time of its closing.

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn open(table: &Arc<ConnectionTable>) -> Arc<ConnectionActivity> {
    table.open().expect("there is room")
}

fn is_closed(connection: &ConnectionActivity) -> bool {
    connection.close().is_cancelled()
}

/// A connection whose response is being sent.
fn respond(connection: &Arc<ConnectionActivity>) -> RequestGuard {
    let mut request = connection.request();
    request.respond();
    request
}

/// Lets a connection have its response.
fn finish(request: RequestGuard) {
    let connection = Arc::clone(&request.connection);
    drop(request);
    connection.flushed();
}

#[tokio::test(start_paused = true)]
async fn the_cap_closes_heads_first_then_idle_ones_and_never_a_request() {
    let table = ConnectionTable::new(3, Timeouts::default());
    let [handled, idle, reading] = [(); 3].map(|()| open(&table));
    finish(respond(&idle));
    let _request = handled.request();
    tokio::time::advance(SECOND).await;
    let first = open(&table);
    assert!(is_closed(&reading) && !is_closed(&idle));
    let _first = first.request();
    let second = open(&table);
    assert!(is_closed(&idle));
    let _second = second.request();
    assert!(table.open().is_none(), "all requests are being handled");
    assert!(
        ![&handled, &first, &second]
            .iter()
            .any(|connection| is_closed(connection))
    );
}

#[tokio::test(start_paused = true)]
async fn the_cap_closes_the_longest_idle_connection() {
    let table = ConnectionTable::new(2, Timeouts::default());
    let [first, second] = [(); 2].map(|()| open(&table));
    finish(respond(&second));
    tokio::time::advance(SECOND).await;
    finish(respond(&first));
    let _new = open(&table);
    assert!(is_closed(&second) && !is_closed(&first));
}

#[tokio::test(start_paused = true)]
async fn every_client_has_five_seconds_to_take_its_response() {
    let table = ConnectionTable::new(1, Timeouts::default());
    let slow = open(&table);
    let request = respond(&slow);
    tokio::time::advance(4 * SECOND).await;
    assert!(table.open().is_none());
    // hyper has all of it, the client has not.
    drop(request);
    assert!(table.open().is_none());
    tokio::time::advance(SECOND).await;
    assert!(table.open().is_some());
    assert!(is_closed(&slow));
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_ends_makes_room_and_a_closed_one_does_not_count_twice() {
    let table = ConnectionTable::new(1, Timeouts::default());
    let first = open(&table);
    let second = open(&table);
    assert!(is_closed(&first));
    let request = second.request();
    first.received();
    drop(first);
    assert!(table.open().is_none());
    drop(request);
    drop(second);
    assert!(table.open().is_some());
}

#[tokio::test(start_paused = true)]
async fn each_state_has_its_time_out_and_a_handled_request_has_none() {
    let timeouts = Timeouts {
        head: 10 * SECOND,
        idle: 20 * SECOND,
        send: 40 * SECOND,
        ..Timeouts::default()
    };
    let (table, start) = (ConnectionTable::new(10, timeouts), Instant::now());
    let _enforce = tokio::spawn(Arc::clone(&table).enforce());
    let [reading, idle, next_head, sending, pipelined, handled] = [(); 6].map(|()| open(&table));
    for connection in [&idle, &next_head] {
        finish(respond(connection));
    }
    let (_sending, _pipelined) = (respond(&sending), respond(&pipelined));
    let (_behind, _handled) = (pipelined.request(), handled.request());
    tokio::time::sleep(9 * SECOND).await;
    next_head.received();
    let all = [&reading, &next_head, &idle, &sending, &pipelined, &handled];
    // Each at its time, and at most an eighth of the shortest late.
    for (seconds, closed) in [
        (9, 0),
        (12, 1),
        (18, 1),
        (22, 3),
        (39, 3),
        (42, 5),
        (1000, 5),
    ] {
        tokio::time::sleep_until(start + seconds * SECOND).await;
        let found: Vec<_> = all.map(|connection| is_closed(connection)).into();
        let expected: Vec<_> = (0..all.len()).map(|index| index < closed).collect();
        assert_eq!(found, expected, "after {seconds} s");
    }
}
