//! How far event time has come.

use crate::pipeline::Watermarks;
use crate::time::Timestamp;

fn at(text: &str) -> Timestamp {
    format!("2026-11-22T{text}Z").parse().expect("a timestamp")
}

#[test]
fn is_the_minimum_over_partitions_that_speak() {
    let mut marks = Watermarks::default();
    marks.observe("calls", 0, at("12:00:00"), at("12:00:01"));
    marks.observe("calls", 1, at("11:50:00"), at("12:00:01"));
    assert_eq!(marks.at(at("12:00:02")), Some(at("11:48:00")));
}

#[test]
fn one_idle_partition_holds_nobody_back() {
    let mut marks = Watermarks::default();
    marks.assigned("calls", 0, at("12:00:00"));
    marks.assigned("calls", 1, at("12:00:00"));
    marks.observe("calls", 0, at("12:00:30"), at("12:00:31"));
    assert_eq!(marks.at(at("12:00:31")), None, "partition 1 may still speak");
    marks.observe("calls", 0, at("12:01:05"), at("12:01:05"));
    assert_eq!(marks.at(at("12:01:05")), Some(at("11:59:05")), "partition 1 is idle now");
}

#[test]
fn goes_on_by_the_wall_clock_when_all_are_idle() {
    let mut marks = Watermarks::default();
    marks.observe("calls", 0, at("12:00:00"), at("12:00:00"));
    assert_eq!(marks.at(at("13:10:00")), Some(at("13:08:00")));
}

#[test]
fn never_goes_back_and_follows_no_clock_into_the_future() {
    let mut marks = Watermarks::default();
    marks.observe("calls", 0, at("23:00:00"), at("12:00:00"));
    assert_eq!(marks.at(at("12:00:00")), Some(at("12:03:00")));
    marks.observe("calls", 1, at("11:00:00"), at("12:00:01"));
    assert_eq!(marks.at(at("12:00:02")), Some(at("12:03:00")));
}
