//! The id that Kafka gave a topic when it was made: a topic that was deleted and made again has
//! another one.
//!
//! rdkafka 0.39 has no safe call for it. This is the only file that calls librdkafka itself: each
//! pointer is made here and destroyed by the guard that holds it, after everything that it lent.
#![allow(unsafe_code)]

use std::ffi::CString;
use std::time::Duration;

use rdkafka::bindings as sys;
use rdkafka::client::{Client, ClientContext};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::types::RDKafkaErrorCode;

/// Asks for a topic's id, in hexadecimal; a broker that knows no ids (before Kafka 2.8) has zeros.
///
/// # Errors
/// [`KafkaError::AdminOp`] when nobody answers in time, or when the topic is not there.
pub(super) fn topic_id<C: ClientContext>(
    client: &Client<C>,
    topic: &str,
    within: Duration,
) -> KafkaResult<String> {
    let name = CString::new(topic).map_err(|_| failed(RDKafkaErrorCode::InvalidTopic))?;
    let millis = i32::try_from(within.as_millis()).unwrap_or(i32::MAX);
    let answer = ask(client, &name, millis)?;
    // SAFETY: the event is alive as long as `answer`, and what it lends as long as the event.
    unsafe {
        check(sys::rd_kafka_event_error(answer.pointer))?;
        let result = sys::rd_kafka_event_DescribeTopics_result(answer.pointer);
        if result.is_null() {
            return Err(failed(RDKafkaErrorCode::BadMessage));
        }
        let mut count = 0;
        let topics = sys::rd_kafka_DescribeTopics_result_topics(result, &raw mut count);
        if topics.is_null() || count == 0 {
            return Err(failed(RDKafkaErrorCode::UnknownTopicOrPartition));
        }
        let described = *topics;
        check(sys::rd_kafka_error_code(sys::rd_kafka_TopicDescription_error(described)))?;
        let id = sys::rd_kafka_TopicDescription_topic_id(described);
        let halves = (
            sys::rd_kafka_Uuid_most_significant_bits(id),
            sys::rd_kafka_Uuid_least_significant_bits(id),
        );
        Ok(format!("{:016x}{:016x}", halves.0, halves.1))
    }
}

/// Sends the question and waits for the answer.
fn ask<C: ClientContext>(
    client: &Client<C>,
    name: &CString,
    millis: i32,
) -> KafkaResult<Held<sys::rd_kafka_event_t>> {
    let rk = client.native_ptr();
    let mut names = [name.as_ptr()];
    // SAFETY: `rk` is alive as long as `client`; the name is copied; every pointer made here is
    // checked and destroyed by its guard, the queue after the event's request has ended: librdkafka
    // holds a reference of its own to a queue that it still answers to.
    unsafe {
        let topics = sys::rd_kafka_TopicCollection_of_topic_names(names.as_mut_ptr(), names.len());
        let topics = Held::new(topics, sys::rd_kafka_TopicCollection_destroy)?;
        let operation = sys::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBETOPICS;
        let options = sys::rd_kafka_AdminOptions_new(rk, operation);
        let options = Held::new(options, sys::rd_kafka_AdminOptions_destroy)?;
        check(sys::rd_kafka_AdminOptions_set_request_timeout(
            options.pointer,
            millis,
            std::ptr::null_mut(),
            0,
        ))?;
        let queue = Held::new(sys::rd_kafka_queue_new(rk), sys::rd_kafka_queue_destroy)?;
        sys::rd_kafka_DescribeTopics(rk, topics.pointer, options.pointer, queue.pointer);
        let event = sys::rd_kafka_queue_poll(queue.pointer, millis);
        Held::new(event, sys::rd_kafka_event_destroy)
    }
}

/// A pointer that is ours, and how it is destroyed.
struct Held<T> {
    pointer: *mut T,
    destroy: unsafe extern "C" fn(*mut T),
}

impl<T> Held<T> {
    /// Null means that there was no memory, or no answer in time.
    fn new(pointer: *mut T, destroy: unsafe extern "C" fn(*mut T)) -> KafkaResult<Self> {
        if pointer.is_null() {
            return Err(failed(RDKafkaErrorCode::OperationTimedOut));
        }
        Ok(Self { pointer, destroy })
    }
}

impl<T> Drop for Held<T> {
    fn drop(&mut self) {
        // SAFETY: made by the library, not null, destroyed only here.
        unsafe { (self.destroy)(self.pointer) }
    }
}

fn check(code: sys::rd_kafka_resp_err_t) -> KafkaResult<()> {
    match RDKafkaErrorCode::from(code) {
        RDKafkaErrorCode::NoError => Ok(()),
        error => Err(failed(error)),
    }
}

const fn failed(code: RDKafkaErrorCode) -> KafkaError {
    KafkaError::AdminOp(code)
}
