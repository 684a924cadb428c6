//! Every fixture of the dated generation, read.

use crate::describe::describe;
use crate::fixtures::event;
use insta::assert_snapshot;

#[test]
fn dated_call_answered() {
    assert_snapshot!(describe(&event("dated.call.answered")), @r#"
    call.answered EVd0000000000000000000000000000007 2026-03-30 2026-04-13T12:00:00+00:00
    replay_id: "msg_2kXq7Lr9TfBv"
    link: "https://my.quo.com/inbox/PNb7Xw2LqR/c/CN6c9d0e1f2a3b4c5d"
    id: AC1122334455667788
    direction: Incoming
    workspace, external, unsorted: (["+12025550143"], ["+12025550117"], [])
    contacts: Known([ContactId("65a1b2c3d4e5f60718293a4b")])
    answered_by: UserId("USk3Qm8ZtY")
    phone_number_id: PhoneNumberId("PNb7Xw2LqR")
    phone_number_type: "shared"
    conversation_id: ConversationId("CN6c9d0e1f2a3b4c5d")
    user_id: UserId("USk3Qm8ZtY")
    org_id: "OR4n6P8q0R"
    created_at: 2026-04-13T11:59:55Z
    answered_at: 2026-04-13T12:00:00Z
    updated_at: 2026-04-13T12:00:00Z
    "#);
}

#[test]
fn dated_call_completed() {
    assert_snapshot!(describe(&event("dated.call.completed")), @r#"
    call.completed EVd0000000000000000000000000000008 2026-03-30 2026-04-13T12:00:00+00:00
    replay_id: "msg_2kXq7Lr9TfBv"
    link: "https://my.quo.com/inbox/PNb7Xw2LqR/c/CN6c9d0e1f2a3b4c5d"
    id: AC1122334455667788
    direction: Incoming
    status: Answered
    workspace, external, unsorted: (["+12025550143"], ["+12025550117"], [])
    contacts: Known([ContactId("65a1b2c3d4e5f60718293a4b")])
    duration: 55
    has_voicemail: false
    phone_number_id: PhoneNumberId("PNb7Xw2LqR")
    phone_number_type: "shared"
    conversation_id: ConversationId("CN6c9d0e1f2a3b4c5d")
    user_id: UserId("USk3Qm8ZtY")
    org_id: "OR4n6P8q0R"
    created_at: 2026-04-13T11:59:55Z
    answered_at: 2026-04-13T12:00:00Z
    completed_at: 2026-04-13T12:00:55Z
    updated_at: 2026-04-13T12:00:00Z
    "#);
}

#[test]
fn dated_call_completed_unavailable() {
    assert_snapshot!(describe(&event("dated.call.completed.unavailable")), @r#"
    call.completed EVd0000000000000000000000000000009 2026-03-30 2026-04-13T12:00:00+00:00
    replay_id: "msg_2kXq7Lr9TfBv"
    link: "https://my.quo.com/inbox/PNb7Xw2LqR/c/CN6c9d0e1f2a3b4c5d"
    id: AC1122334455667788 (missed)
    direction: Incoming
    status: Unanswered
    participants: Unavailable
    contacts: Unavailable
    duration: 0
    has_voicemail: true
    phone_number_id: PhoneNumberId("PNb7Xw2LqR")
    phone_number_type: "shared"
    conversation_id: ConversationId("CN6c9d0e1f2a3b4c5d")
    user_id: UserId("USk3Qm8ZtY")
    org_id: "OR4n6P8q0R"
    created_at: 2026-04-13T11:59:55Z
    completed_at: 2026-04-13T12:00:25Z
    updated_at: 2026-04-13T12:00:00Z
    "#);
}

#[test]
fn dated_call_forwarded() {
    assert_snapshot!(describe(&event("dated.call.forwarded")), @r#"
    call.forwarded EVd0000000000000000000000000000011 2026-03-30 2026-04-13T12:00:00+00:00
    replay_id: "msg_2kXq7Lr9TfBv"
    link: "https://my.quo.com/inbox/PNb7Xw2LqR/c/CN6c9d0e1f2a3b4c5d"
    id: AC1122334455667788
    workspace, external, unsorted: (["+12025550143"], ["+12025550117"], [])
    contacts: Known([ContactId("65a1b2c3d4e5f60718293a4b")])
    forwarded_from: "+12025550143"
    forwarded_to: "+12025550118"
    phone_number_id: PhoneNumberId("PNb7Xw2LqR")
    phone_number_type: "shared"
    conversation_id: ConversationId("CN6c9d0e1f2a3b4c5d")
    user_id: UserId("USk3Qm8ZtY")
    org_id: "OR4n6P8q0R"
    created_at: 2026-04-13T11:59:55Z
    "#);
}

#[test]
fn dated_call_menu_selected() {
    assert_snapshot!(describe(&event("dated.call.menu.selected")), @r#"
    call.menu.selected EVd0000000000000000000000000000012 2026-03-30 2026-04-13T12:00:00+00:00
    replay_id: "msg_2kXq7Lr9TfBv"
    link: "https://my.quo.com/inbox/PNb7Xw2LqR/c/CN6c9d0e1f2a3b4c5d"
    id: AC1122334455667788
    status_reason: "phone-menu-dial"
    workspace, external, unsorted: (["+12025550143"], ["+12025550117"], [])
    contacts: Known([ContactId("65a1b2c3d4e5f60718293a4b")])
    menu_selection: "1"
    menu_selection_name: "Sales"
    phone_number_id: PhoneNumberId("PNb7Xw2LqR")
    phone_number_type: "shared"
    conversation_id: ConversationId("CN6c9d0e1f2a3b4c5d")
    user_id: UserId("USk3Qm8ZtY")
    org_id: "OR4n6P8q0R"
    created_at: 2026-04-13T11:59:55Z
    updated_at: 2026-04-13T12:00:00Z
    "#);
}

#[test]
fn dated_call_missed() {
    assert_snapshot!(describe(&event("dated.call.missed")), @r#"
    call.missed EVd0000000000000000000000000000010 2026-03-30 2026-04-13T12:00:00+00:00
    replay_id: "msg_2kXq7Lr9TfBv"
    link: "https://my.quo.com/inbox/PNb7Xw2LqR/c/CN6c9d0e1f2a3b4c5d"
    id: AC1122334455667788 (missed)
    direction: Incoming
    status: Unanswered
    workspace, external, unsorted: (["+12025550143"], ["+12025550117"], [])
    contacts: Known([ContactId("65a1b2c3d4e5f60718293a4b")])
    phone_number_id: PhoneNumberId("PNb7Xw2LqR")
    phone_number_type: "shared"
    conversation_id: ConversationId("CN6c9d0e1f2a3b4c5d")
    user_id: UserId("USk3Qm8ZtY")
    org_id: "OR4n6P8q0R"
    created_at: 2026-04-13T11:59:55Z
    completed_at: 2026-04-13T12:00:25Z
    updated_at: 2026-04-13T12:00:00Z
    "#);
}

#[test]
fn dated_call_recording_completed() {
    assert_snapshot!(describe(&event("dated.call.recording.completed")), @r#"
    call.recording.completed EVd0000000000000000000000000000013 2026-03-30 2026-04-13T12:00:00+00:00
    replay_id: "msg_2kXq7Lr9TfBv"
    link: "https://my.quo.com/inbox/PNb7Xw2LqR/c/CN6c9d0e1f2a3b4c5d"
    id: AC1122334455667788
    direction: Incoming
    workspace, external, unsorted: (["+12025550143"], ["+12025550117"], [])
    contacts: Known([ContactId("65a1b2c3d4e5f60718293a4b")])
    duration: 55
    recordings: [(Some(RecordingId("REa1b2c3d4")), Some("https://files.example.com/rec4.mp3"), Some("audio/mpeg"), Some(55), Some(2026-04-13T12:00:00Z))]
    phone_number_id: PhoneNumberId("PNb7Xw2LqR")
    phone_number_type: "shared"
    conversation_id: ConversationId("CN6c9d0e1f2a3b4c5d")
    user_id: UserId("USk3Qm8ZtY")
    org_id: "OR4n6P8q0R"
    created_at: 2026-04-13T11:59:55Z
    answered_at: 2026-04-13T12:00:00Z
    completed_at: 2026-04-13T12:00:55Z
    updated_at: 2026-04-13T12:00:00Z
    "#);
}

#[test]
fn dated_call_ringing() {
    assert_snapshot!(describe(&event("dated.call.ringing")), @r#"
    call.ringing EVd0000000000000000000000000000006 2026-03-30 2026-04-13T12:00:00+00:00
    replay_id: "msg_2kXq7Lr9TfBv"
    link: "https://my.quo.com/inbox/PNb7Xw2LqR/c/CN6c9d0e1f2a3b4c5d"
    id: AC1122334455667788
    direction: Incoming
    workspace, external, unsorted: (["+12025550143"], ["+12025550117"], [])
    contacts: NotReported
    phone_number_id: PhoneNumberId("PNb7Xw2LqR")
    conversation_id: ConversationId("CN6c9d0e1f2a3b4c5d")
    user_id: UserId("USk3Qm8ZtY")
    org_id: "OR4n6P8q0R"
    created_at: 2026-04-13T11:59:55Z
    updated_at: 2026-04-13T12:00:00Z
    "#);
}

#[test]
fn dated_call_summary_completed() {
    assert_snapshot!(describe(&event("dated.call.summary.completed")), @r#"
    call.summary.completed EVd0000000000000000000000000000021 2026-03-30 2026-04-13T12:00:00+00:00
    replay_id: "msg_2kXq7Lr9TfBv"
    link: "https://my.quo.com/inbox/PNb7Xw2LqR/c/CN6c9d0e1f2a3b4c5d"
    call: (CallId("AC1122334455667788"), Completed)
    summary: (["They ordered the blue one."], ["Send the bill."])
    job: (Some("✍\u{fe0f}"), Some("Message taking"), [(Some("Name"), String("Ada Example")), (Some("Pieces"), Number(3)), (Some("Urgent"), Bool(false))])
    from: "+12025550117"
    handled_by_ai_agent: true
    answered_by: UserId("SYUr5T7v9X")
    workspace, external, unsorted: (["+12025550143"], ["+12025550117"], [])
    contacts: Known([ContactId("65a1b2c3d4e5f60718293a4b")])
    phone_number_id: PhoneNumberId("PNb7Xw2LqR")
    phone_number_type: "shared"
    conversation_id: ConversationId("CN6c9d0e1f2a3b4c5d")
    user_id: UserId("USk3Qm8ZtY")
    org_id: "OR4n6P8q0R"
    "#);
}

#[test]
fn dated_call_transcript_completed() {
    assert_snapshot!(describe(&event("dated.call.transcript.completed")), @r#"
    call.transcript.completed EVd0000000000000000000000000000018 2026-03-30 2026-04-13T12:00:00+00:00
    replay_id: "msg_2kXq7Lr9TfBv"
    link: "https://my.quo.com/inbox/PNb7Xw2LqR/c/CN6c9d0e1f2a3b4c5d"
    call: (CallId("AC1122334455667788"), Completed)
    created_at: 2026-04-13T12:00:00Z
    duration: 42.0
    said: ("How can I help?", Some(0.0), Some(3.0), (Some(UserId("USk3Qm8ZtY")), None))
    workspace, external, unsorted: (["+12025550143"], ["+12025550117"], [])
    contacts: Known([ContactId("65a1b2c3d4e5f60718293a4b")])
    phone_number_id: PhoneNumberId("PNb7Xw2LqR")
    phone_number_type: "shared"
    conversation_id: ConversationId("CN6c9d0e1f2a3b4c5d")
    user_id: UserId("USk3Qm8ZtY")
    org_id: "OR4n6P8q0R"
    "#);
}

#[test]
fn dated_call_voicemail_completed() {
    assert_snapshot!(describe(&event("dated.call.voicemail.completed")), @r#"
    call.voicemail.completed EVd0000000000000000000000000000014 2026-03-30 2026-04-13T12:00:00+00:00
    replay_id: "msg_2kXq7Lr9TfBv"
    link: "https://my.quo.com/inbox/PNb7Xw2LqR/c/CN6c9d0e1f2a3b4c5d"
    id: AC1122334455667788
    direction: Incoming
    workspace, external, unsorted: (["+12025550143"], ["+12025550117"], [])
    contacts: Known([ContactId("65a1b2c3d4e5f60718293a4b")])
    voicemail: ((Some(VoicemailId("VM5566778899")), Some(ActivityId("AC99aabbccddeeff00")), Some("https://files.example.com/vm2.mp3"), None, Some(18)), Some("Please call me back."))
    phone_number_id: PhoneNumberId("PNb7Xw2LqR")
    phone_number_type: "shared"
    conversation_id: ConversationId("CN6c9d0e1f2a3b4c5d")
    user_id: UserId("USk3Qm8ZtY")
    org_id: "OR4n6P8q0R"
    created_at: 2026-04-13T12:00:00Z
    updated_at: 2026-04-13T12:00:00Z
    "#);
}

#[test]
fn dated_contact_deleted() {
    assert_snapshot!(describe(&event("dated.contact.deleted")), @r#"
    contact.deleted EVd0000000000000000000000000000016 2026-03-30 2026-04-13T12:00:00+00:00
    replay_id: "msg_2kXq7Lr9TfBv"
    id: 65a1b2c3d4e5f60718293a4b
    external_id: "crm-7001"
    source: "public-api"
    first_name: "Ada"
    last_name: "Example"
    company: "Example Ltd"
    emails: []
    phone_numbers: []
    custom_fields: []
    untyped_fields: []
    numbers(): []
    addresses(): []
    shared_with: ["OR4n6P8q0R"]
    user_id: UserId("USk3Qm8ZtY")
    org_id: "OR4n6P8q0R"
    created_at: 2026-04-13T11:00:00Z
    updated_at: 2026-04-13T12:00:00Z
    "#);
}

#[test]
fn dated_contact_updated() {
    assert_snapshot!(describe(&event("dated.contact.updated")), @r#"
    contact.updated EVd0000000000000000000000000000015 2026-03-30 2026-04-13T12:00:00+00:00
    replay_id: "msg_2kXq7Lr9TfBv"
    id: 65a1b2c3d4e5f60718293a4b
    external_id: "crm-7001"
    source: "public-api"
    first_name: "Ada"
    last_name: "Example"
    company: "Example Ltd"
    emails: ["None None None Some(\"email\") \"ada@example.com\""]
    phone_numbers: ["None None None Some(\"phone-number\") \"+12025550117\"", "None None None Some(\"phone-number\") \"(202) 555-0118\""]
    custom_fields: ["Some(\"cf1\") Some(\"tier\") Some(\"Tier\") Some(\"string\") \"gold\"", "None Some(\"seats\") Some(\"Seats\") Some(\"number\") 3", "None Some(\"vip\") Some(\"VIP\") Some(\"boolean\") true", "None Some(\"renewal\") Some(\"Renewal\") Some(\"date\") null", "None Some(\"tags\") Some(\"Tags\") Some(\"multi-select\") [\"a\",\"b\"]"]
    untyped_fields: []
    numbers(): ["+12025550117", "(202) 555-0118"]
    addresses(): ["ada@example.com"]
    shared_with: ["OR4n6P8q0R"]
    user_id: UserId("USk3Qm8ZtY")
    org_id: "OR4n6P8q0R"
    created_at: 2026-04-13T11:00:00Z
    updated_at: 2026-04-13T12:00:00Z
    "#);
}

#[test]
fn dated_message_delivered() {
    assert_snapshot!(describe(&event("dated.message.delivered")), @r#"
    message.delivered EVd0000000000000000000000000000003 2026-03-30 2026-04-13T12:00:00+00:00
    replay_id: "msg_2kXq7Lr9TfBv"
    link: "https://my.quo.com/inbox/PNb7Xw2LqR/c/CN6c9d0e1f2a3b4c5d"
    id: AC0a1b2c3d4e5f6071
    direction: Outgoing
    status: PartiallyDelivered
    text: "See you at nine"
    from: "+12025550143"
    to: ["+12025550117"]
    media: []
    contacts: Known([ContactId("65a1b2c3d4e5f60718293a4b")])
    phone_number_id: PhoneNumberId("PNb7Xw2LqR")
    conversation_id: ConversationId("CN6c9d0e1f2a3b4c5d")
    user_id: UserId("USk3Qm8ZtY")
    org_id: "OR4n6P8q0R"
    created_at: 2026-04-13T12:00:00Z
    "#);
}

#[test]
fn dated_message_failed() {
    assert_snapshot!(describe(&event("dated.message.failed")), @r#"
    message.failed EVd0000000000000000000000000000004 2026-03-30 2026-04-13T12:00:00+00:00
    replay_id: "msg_2kXq7Lr9TfBv"
    link: "https://my.quo.com/inbox/PNb7Xw2LqR/c/CN6c9d0e1f2a3b4c5d"
    id: AC0a1b2c3d4e5f6071
    direction: Outgoing
    status: Failed
    error_code: "30006"
    text: "See you at nine"
    from: "+12025550143"
    to: ["+12025550117"]
    contacts: Known([ContactId("65a1b2c3d4e5f60718293a4b")])
    phone_number_id: PhoneNumberId("PNb7Xw2LqR")
    conversation_id: ConversationId("CN6c9d0e1f2a3b4c5d")
    user_id: UserId("USk3Qm8ZtY")
    org_id: "OR4n6P8q0R"
    created_at: 2026-04-13T12:00:00Z
    "#);
}

#[test]
fn dated_message_received() {
    assert_snapshot!(describe(&event("dated.message.received")), @r#"
    message.received EVd0000000000000000000000000000001 2026-03-30 2026-04-13T12:00:00+00:00
    replay_id: "msg_2kXq7Lr9TfBv"
    link: "https://my.quo.com/inbox/PNb7Xw2LqR/c/CN6c9d0e1f2a3b4c5d"
    id: AC0a1b2c3d4e5f6071
    direction: Incoming
    status: Received
    text: "See you at nine"
    from: "+12025550117"
    to: ["+12025550143", "+12025550118"]
    media: [(Some("https://files.example.com/b2.png"), Some("image/png"))]
    contacts: Known([ContactId("65a1b2c3d4e5f60718293a4b")])
    phone_number_id: PhoneNumberId("PNb7Xw2LqR")
    conversation_id: ConversationId("CN6c9d0e1f2a3b4c5d")
    user_id: UserId("USk3Qm8ZtY")
    org_id: "OR4n6P8q0R"
    created_at: 2026-04-13T12:00:00Z
    "#);
}

#[test]
fn dated_message_received_unavailable() {
    assert_snapshot!(describe(&event("dated.message.received.unavailable")), @r#"
    message.received EVd0000000000000000000000000000002 2026-03-30 2026-04-13T12:00:00+00:00
    replay_id: "msg_2kXq7Lr9TfBv"
    id: AC0a1b2c3d4e5f6071
    direction: Incoming
    status: Received
    text: ""
    from: "blocked"
    to: ["+12025550143"]
    media: []
    contacts: Unavailable
    phone_number_id: PhoneNumberId("PNb7Xw2LqR")
    conversation_id: ConversationId("CN6c9d0e1f2a3b4c5d")
    org_id: "OR4n6P8q0R"
    created_at: 2026-04-13T12:00:00Z
    "#);
}

#[test]
fn dated_message_undelivered() {
    assert_snapshot!(describe(&event("dated.message.undelivered")), @r#"
    message.undelivered EVd0000000000000000000000000000005 2026-03-30 2026-04-13T12:00:00+00:00
    replay_id: "msg_2kXq7Lr9TfBv"
    link: "https://my.quo.com/inbox/PNb7Xw2LqR/c/CN6c9d0e1f2a3b4c5d"
    id: AC0a1b2c3d4e5f6071
    direction: Outgoing
    status: Undelivered
    error_code: "30007"
    text: "See you at nine"
    from: "+12025550143"
    to: ["+12025550117"]
    media: []
    contacts: Known([ContactId("65a1b2c3d4e5f60718293a4b")])
    phone_number_id: PhoneNumberId("PNb7Xw2LqR")
    conversation_id: ConversationId("CN6c9d0e1f2a3b4c5d")
    user_id: UserId("USk3Qm8ZtY")
    org_id: "OR4n6P8q0R"
    created_at: 2026-04-13T12:00:00Z
    "#);
}
