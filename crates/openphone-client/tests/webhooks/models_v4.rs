//! Every fixture of API v1 webhooks (`v4`), read.

use crate::describe::describe;
use crate::fixtures::event;
use insta::assert_snapshot;

#[test]
fn v4_call_completed() {
    assert_snapshot!(describe(&event("v4.call.completed")), @r#"
    call.completed EVc0000000000000000000000000000005 v4 2026-03-05T09:01:26.900+00:00
    replay_id: "EVc0000000000000000000000000000005"
    link: "https://my.quo.com/inbox/PNb7Xw2LqR/c/CN6c9d0e1f2a3b4c5d?at=AC9a8b7c6d5e4f3021"
    id: ACc0ffee0123456789
    direction: Incoming
    status: Completed
    workspace, external, unsorted: ([], [], ["+12025550117", "+12025550143"])
    contacts: Known([ContactId("65a1b2c3d4e5f60718293a4b")])
    duration: 76
    answered_by: UserId("SYUr5T7v9X")
    phone_number_id: PhoneNumberId("PNb7Xw2LqR")
    user_id: UserId("USk3Qm8ZtY")
    created_at: 2026-03-05T09:00:08.110Z
    answered_at: 2026-03-05T09:00:10Z
    completed_at: 2026-03-05T09:01:26Z
    updated_at: 2026-03-05T09:01:26.522Z
    "#);
}

#[test]
fn v4_call_completed_missed() {
    assert_snapshot!(describe(&event("v4.call.completed.missed")), @r#"
    call.completed EVc0000000000000000000000000000006 v4 2026-03-05T09:10:00+00:00
    replay_id: "EVc0000000000000000000000000000006"
    link: "https://my.quo.com/inbox/PNb7Xw2LqR/c/CN6c9d0e1f2a3b4c5d?at=AC9a8b7c6d5e4f3021"
    id: ACc0ffee0123456789 (missed)
    direction: Incoming
    status: NoAnswer
    participants: Unavailable
    contacts: Known([])
    duration: 16
    phone_number_id: PhoneNumberId("PNb7Xw2LqR")
    user_id: UserId("USk3Qm8ZtY")
    created_at: 2026-03-05T09:00:08.110Z
    completed_at: 2026-03-05T09:01:26Z
    updated_at: 2026-03-05T09:01:26.522Z
    "#);
}

#[test]
fn v4_call_recording_completed() {
    assert_snapshot!(describe(&event("v4.call.recording.completed")), @r#"
    call.recording.completed EVc0000000000000000000000000000007 v4 2026-03-05T09:03:00.675+00:00
    replay_id: "EVc0000000000000000000000000000007"
    link: "https://my.quo.com/inbox/PNb7Xw2LqR/c/CN6c9d0e1f2a3b4c5d?at=AC9a8b7c6d5e4f3021"
    id: ACc0ffee0123456789
    direction: Incoming
    status: Completed
    workspace, external, unsorted: ([], [], ["+12025550117", "+12025550143"])
    contacts: Known([ContactId("65a1b2c3d4e5f60718293a4b")])
    duration: 76
    recordings: [(Some(RecordingId("CR3f5a7c9e1b2d4f60")), Some("https://files.example.com/rec3.mp3"), Some("audio/mpeg"), Some(72), Some(2026-03-05T09:00:10Z))]
    answered_by: UserId("SYUr5T7v9X")
    phone_number_id: PhoneNumberId("PNb7Xw2LqR")
    user_id: UserId("USk3Qm8ZtY")
    created_at: 2026-03-05T09:00:08.110Z
    answered_at: 2026-03-05T09:00:10Z
    completed_at: 2026-03-05T09:01:26Z
    updated_at: 2026-03-05T09:01:26.522Z
    "#);
}

#[test]
fn v4_call_ringing() {
    assert_snapshot!(describe(&event("v4.call.ringing")), @r#"
    call.ringing EVc0000000000000000000000000000004 v4 2026-03-05T09:00:08.400+00:00
    replay_id: "EVc0000000000000000000000000000004"
    id: ACc0ffee0123456789
    direction: Outgoing
    status: Ringing
    workspace, external, unsorted: ([], [], ["+12025550117"])
    contacts: NotReported
    duration: 0
    forwarded_from: "USk3Qm8ZtY"
    forwarded_to: "USm1N3p5Q7"
    initiated_by: UserId("USk3Qm8ZtY")
    phone_number_id: PhoneNumberId("PNb7Xw2LqR")
    user_id: UserId("USk3Qm8ZtY")
    created_at: 2026-03-05T09:00:08.110Z
    updated_at: 2026-03-05T09:01:26.522Z
    "#);
}

#[test]
fn v4_call_summary_completed() {
    assert_snapshot!(describe(&event("v4.call.summary.completed")), @r#"
    call.summary.completed EVc000000000000000000000000000000a v4 2026-03-05T09:04:00+00:00
    replay_id: "EVc000000000000000000000000000000a"
    call: (CallId("ACc0ffee0123456789"), Completed)
    summary: (["They talked about delivery."], ["Send the bill."])
    participants: NotReported
    contacts: NotReported
    "#);
}

#[test]
fn v4_call_summary_completed_live() {
    assert_snapshot!(describe(&event("v4.call.summary.completed.live")), @r#"
    call.summary.completed EVc000000000000000000000000000000b v4 2026-03-05T09:04:00.350+00:00
    replay_id: "EVc000000000000000000000000000000b"
    link: "https://my.quo.com/inbox/PNb7Xw2LqR/c/CN6c9d0e1f2a3b4c5d?at=ACc0ffee0123456789"
    call: (CallId("ACc0ffee0123456789"), Completed)
    summary: (["Ada asked about the price."], [])
    job: (Some("✍\u{fe0f}"), Some("Message taking"), [(Some("Name"), String("Ada Example"))])
    participants: NotReported
    contacts: NotReported
    "#);
}

#[test]
fn v4_call_transcript_completed() {
    assert_snapshot!(describe(&event("v4.call.transcript.completed")), @r#"
    call.transcript.completed EVc000000000000000000000000000000c v4 2026-03-05T09:05:00+00:00
    replay_id: "EVc000000000000000000000000000000c"
    call: (CallId("ACc0ffee0123456789"), Completed)
    created_at: 2026-03-05T09:04:50.279Z
    duration: 76.4
    said: ("Good morning!", Some(5.123456), Some(10.5), (Some(UserId("USk3Qm8ZtY")), Some("+12025550143")))
    said: ("Is that Example Ltd?", Some(10.75), Some(12.0), (None, Some("+12025550117")))
    participants: NotReported
    contacts: NotReported
    "#);
}

#[test]
fn v4_contact_deleted() {
    assert_snapshot!(describe(&event("v4.contact.deleted")), @r#"
    contact.deleted EVc0000000000000000000000000000009 v4 2026-03-05T07:40:00.100+00:00
    replay_id: "EVc0000000000000000000000000000009"
    id: 65a1b2c3d4e5f60718293a4b
    untyped_fields: []
    numbers(): []
    addresses(): []
    "#);
}

#[test]
fn v4_contact_updated() {
    assert_snapshot!(describe(&event("v4.contact.updated")), @r#"
    contact.updated EVc0000000000000000000000000000008 v4 2026-03-05T07:30:00.100+00:00
    replay_id: "EVc0000000000000000000000000000008"
    id: 65a1b2c3d4e5f60718293a4b
    external_id: "crm-7001"
    source: "public-api"
    first_name: "Ada"
    last_name: "Example"
    emails: ["Some(\"e1\") None Some(\"work\") None \"ada@example.com\""]
    phone_numbers: ["Some(\"p1\") None Some(\"mobile\") None \"+12025550117\""]
    custom_fields: ["Some(\"c1\") Some(\"size\") Some(\"Size\") Some(\"string\") \"XL\""]
    untyped_fields: []
    numbers(): ["+12025550117"]
    addresses(): ["ada@example.com"]
    user_id: UserId("USk3Qm8ZtY")
    created_at: 2026-03-05T07:00:00Z
    updated_at: 2026-03-05T07:30:00Z
    "#);
}

#[test]
fn v4_message_delivered() {
    assert_snapshot!(describe(&event("v4.message.delivered")), @r#"
    message.delivered EVc0000000000000000000000000000003 v4 2026-03-05T08:05:01.342+00:00
    replay_id: "EVc0000000000000000000000000000003"
    link: "https://my.quo.com/inbox/PNb7Xw2LqR/c/CN6c9d0e1f2a3b4c5d?at=AC9a8b7c6d5e4f3021"
    id: AC9a8b7c6d5e4f3021
    direction: Outgoing
    status: Delivered
    text: "Ja, ab neun."
    from: "+12025550143"
    to: ["+12025550117", "77453"]
    contacts: Known([])
    phone_number_id: PhoneNumberId("PNb7Xw2LqR")
    user_id: UserId("USk3Qm8ZtY")
    created_at: 2026-03-05T08:00:00.445Z
    "#);
}

#[test]
fn v4_message_received() {
    assert_snapshot!(describe(&event("v4.message.received")), @r#"
    message.received EVc0000000000000000000000000000001 v4 2026-03-05T08:00:01.342+00:00
    replay_id: "EVc0000000000000000000000000000001"
    link: "https://my.quo.com/inbox/PNb7Xw2LqR/c/CN6c9d0e1f2a3b4c5d?at=AC9a8b7c6d5e4f3021"
    id: AC9a8b7c6d5e4f3021
    direction: Incoming
    status: Received
    text: "Könnt ihr morgen liefern?"
    from: "+12025550117"
    to: ["+12025550143"]
    contacts: Known([ContactId("65a1b2c3d4e5f60718293a4b")])
    phone_number_id: PhoneNumberId("PNb7Xw2LqR")
    user_id: UserId("USk3Qm8ZtY")
    created_at: 2026-03-05T08:00:00.445Z
    "#);
}

#[test]
fn v4_message_received_list() {
    assert_snapshot!(describe(&event("v4.message.received.list")), @r#"
    message.received EVc0000000000000000000000000000002 v4 2026-03-05T08:00:01.342+00:00
    replay_id: "EVc0000000000000000000000000000002"
    id: AC9a8b7c6d5e4f3021
    direction: Incoming
    status: Received
    text: "Hello, world!"
    from: "+12025550117"
    to: ["+12025550143"]
    contacts: NotReported
    phone_number_id: PhoneNumberId("PNb7Xw2LqR")
    user_id: UserId("USk3Qm8ZtY")
    created_at: 2026-03-05T08:00:00.445Z
    "#);
}
