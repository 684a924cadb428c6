//! Every fixture of webhooks made in the app (`v2`, `v3`), read.

use crate::describe::describe;
use crate::fixtures::event;
use insta::assert_snapshot;

#[test]
fn v2_call_completed() {
    assert_snapshot!(describe(&event("v2.call.completed")), @r#"
    call.completed EVa0000000000000000000000000000004 v2 2026-02-03T10:02:00.300+00:00
    replay_id: "EVa0000000000000000000000000000004"
    id: AC7d2e4f6081a3c5b9
    direction: Outgoing
    status: Completed
    workspace, external, unsorted: (["+12025550143"], ["+12025550117"], [])
    contacts: NotReported
    phone_number_id: PhoneNumberId("PNb7Xw2LqR")
    conversation_id: ConversationId("CN6c9d0e1f2a3b4c5d")
    user_id: UserId("USk3Qm8ZtY")
    created_at: 2026-02-03T10:00:00.100Z
    answered_at: 2026-02-03T10:00:08Z
    completed_at: 2026-02-03T10:02:00Z
    "#);
}

#[test]
fn v2_call_completed_voicemail() {
    assert_snapshot!(describe(&event("v2.call.completed.voicemail")), @r#"
    call.completed EVa0000000000000000000000000000005 v2 2026-02-03T10:00:41+00:00
    replay_id: "EVa0000000000000000000000000000005"
    id: AC7d2e4f6081a3c5b9 (missed)
    direction: Incoming
    status: Completed
    workspace, external, unsorted: (["+12025550143"], ["+12025550117"], [])
    contacts: NotReported
    voicemail: ((None, None, Some("https://files.example.com/vm1.mp3"), Some("audio/mpeg"), Some(7)), None)
    phone_number_id: PhoneNumberId("PNb7Xw2LqR")
    conversation_id: ConversationId("CN6c9d0e1f2a3b4c5d")
    user_id: UserId("USk3Qm8ZtY")
    created_at: 2026-02-03T10:00:00.100Z
    completed_at: 2026-02-03T10:00:40Z
    "#);
}

#[test]
fn v2_call_recording_completed() {
    assert_snapshot!(describe(&event("v2.call.recording.completed")), @r#"
    call.recording.completed EVa0000000000000000000000000000006 v2 2026-02-03T10:04:10+00:00
    replay_id: "EVa0000000000000000000000000000006"
    id: AC7d2e4f6081a3c5b9
    direction: Incoming
    status: Completed
    workspace, external, unsorted: (["+12025550143"], ["+12025550117"], [])
    contacts: NotReported
    recordings: [(None, Some("https://files.example.com/rec1.mp3"), Some("audio/mpeg"), Some(112), None)]
    phone_number_id: PhoneNumberId("PNb7Xw2LqR")
    conversation_id: ConversationId("CN6c9d0e1f2a3b4c5d")
    user_id: UserId("USk3Qm8ZtY")
    created_at: 2026-02-03T10:00:00.100Z
    answered_at: 2026-02-03T10:00:08Z
    completed_at: 2026-02-03T10:02:00Z
    "#);
}

#[test]
fn v2_call_ringing() {
    assert_snapshot!(describe(&event("v2.call.ringing")), @r#"
    call.ringing EVa0000000000000000000000000000003 v2 2026-02-03T10:00:00.400+00:00
    replay_id: "EVa0000000000000000000000000000003"
    id: AC7d2e4f6081a3c5b9
    direction: Incoming
    status: Ringing
    workspace, external, unsorted: (["+12025550143"], ["+12025550117"], [])
    contacts: NotReported
    phone_number_id: PhoneNumberId("PNb7Xw2LqR")
    conversation_id: ConversationId("CN6c9d0e1f2a3b4c5d")
    user_id: UserId("USk3Qm8ZtY")
    created_at: 2026-02-03T10:00:00.100Z
    "#);
}

#[test]
fn v2_message_delivered() {
    assert_snapshot!(describe(&event("v2.message.delivered")), @r#"
    message.delivered EVa0000000000000000000000000000002 v2 2026-02-03T09:16:00.001+00:00
    replay_id: "EVa0000000000000000000000000000002"
    id: AC5e1c0f7a92b34d68
    direction: Outgoing
    status: Delivered
    text: "Yes, until six."
    from: "+12025550143"
    to: ["+12025550117"]
    media: []
    contacts: NotReported
    phone_number_id: PhoneNumberId("PNb7Xw2LqR")
    conversation_id: ConversationId("CN6c9d0e1f2a3b4c5d")
    user_id: UserId("USk3Qm8ZtY")
    created_at: 2026-02-03T09:15:01.120Z
    "#);
}

#[test]
fn v2_message_received() {
    assert_snapshot!(describe(&event("v2.message.received")), @r#"
    message.received EVa0000000000000000000000000000001 v2 2026-02-03T09:15:01.512+00:00
    replay_id: "EVa0000000000000000000000000000001"
    id: AC5e1c0f7a92b34d68
    direction: Incoming
    status: Received
    text: "Is the blue one in stock?"
    from: "+12025550117"
    to: ["+12025550143"]
    media: [(Some("https://files.example.com/a1.jpg"), Some("image/jpeg"))]
    contacts: Known([ContactId("CT65a1b2c3d4e5f60718293a4b")])
    phone_number_id: PhoneNumberId("PNb7Xw2LqR")
    conversation_id: ConversationId("CN6c9d0e1f2a3b4c5d")
    user_id: UserId("USk3Qm8ZtY")
    created_at: 2026-02-03T09:15:01.120Z
    "#);
}

#[test]
fn v3_call_completed() {
    assert_snapshot!(describe(&event("v3.call.completed")), @r#"
    call.completed EVb0000000000000000000000000000005 v3 2026-02-04T10:00:31+00:00
    replay_id: "EVb0000000000000000000000000000005"
    id: AC7d2e4f6081a3c5b9 (missed)
    direction: Incoming
    status: NoAnswer
    workspace, external, unsorted: (["+12025550143"], ["+12025550117"], [])
    contacts: NotReported
    phone_number_id: PhoneNumberId("PNb7Xw2LqR")
    conversation_id: ConversationId("CN6c9d0e1f2a3b4c5d")
    user_id: UserId("USk3Qm8ZtY")
    created_at: 2026-02-03T10:00:00.100Z
    completed_at: 2026-02-04T10:00:30Z
    "#);
}

#[test]
fn v3_call_recording_completed() {
    assert_snapshot!(describe(&event("v3.call.recording.completed")), @r#"
    call.recording.completed EVb0000000000000000000000000000006 v3 2026-02-04T10:04:10+00:00
    replay_id: "EVb0000000000000000000000000000006"
    id: AC7d2e4f6081a3c5b9
    direction: Outgoing
    status: Completed
    workspace, external, unsorted: (["+12025550143"], ["+12025550117"], [])
    contacts: NotReported
    recordings: [(None, Some("https://files.example.com/rec2.mp3"), Some("audio/mpeg"), Some(112), None)]
    phone_number_id: PhoneNumberId("PNb7Xw2LqR")
    conversation_id: ConversationId("CN6c9d0e1f2a3b4c5d")
    user_id: UserId("USk3Qm8ZtY")
    created_at: 2026-02-03T10:00:00.100Z
    answered_at: 2026-02-04T10:00:08Z
    completed_at: 2026-02-04T10:02:00Z
    "#);
}

#[test]
fn v3_call_ringing() {
    assert_snapshot!(describe(&event("v3.call.ringing")), @r#"
    call.ringing EVb0000000000000000000000000000004 v3 2026-02-04T10:00:00.400+00:00
    replay_id: "EVb0000000000000000000000000000004"
    id: AC7d2e4f6081a3c5b9
    direction: Incoming
    status: Ringing
    workspace, external, unsorted: (["+12025550143"], ["anonymous"], [])
    contacts: NotReported
    phone_number_id: PhoneNumberId("PNb7Xw2LqR")
    conversation_id: ConversationId("CN6c9d0e1f2a3b4c5d")
    user_id: UserId("USk3Qm8ZtY")
    created_at: 2026-02-03T10:00:00.100Z
    "#);
}

#[test]
fn v3_contact_deleted() {
    assert_snapshot!(describe(&event("v3.contact.deleted")), @r#"
    contact.deleted EVb0000000000000000000000000000009 v3 2026-02-04T13:00:00.100+00:00
    replay_id: "EVb0000000000000000000000000000009"
    id: CT65a1b2c3d4e5f60718293a4b
    first_name: "Ada"
    last_name: "Example"
    company: "Example Ltd"
    role: "Buyer"
    emails: ["None None Some(\"Email\") Some(\"email\") \"ada@example.com\"", "None None Some(\"Old email\") Some(\"email\") null"]
    phone_numbers: ["None None Some(\"Phone\") Some(\"phone-number\") \"+12025550117\""]
    custom_fields: ["None None Some(\"Plan\") Some(\"multi-select\") [\"basic\",\"family\"]"]
    untyped_fields: []
    numbers(): ["+12025550117"]
    addresses(): ["ada@example.com"]
    shared_with: ["USk3Qm8ZtY"]
    user_id: UserId("USk3Qm8ZtY")
    created_at: 2026-02-04T10:59:00Z
    updated_at: 2026-02-04T11:00:00Z
    "#);
}

#[test]
fn v3_contact_updated() {
    assert_snapshot!(describe(&event("v3.contact.updated")), @r#"
    contact.updated EVb0000000000000000000000000000007 v3 2026-02-04T11:00:00.100+00:00
    replay_id: "EVb0000000000000000000000000000007"
    id: CT65a1b2c3d4e5f60718293a4b
    first_name: "Ada"
    last_name: "Example"
    company: "Example Ltd"
    role: "Buyer"
    emails: ["None None Some(\"Email\") Some(\"email\") \"ada@example.com\"", "None None Some(\"Old email\") Some(\"email\") null"]
    phone_numbers: ["None None Some(\"Phone\") Some(\"phone-number\") \"+12025550117\""]
    custom_fields: ["None None Some(\"Plan\") Some(\"multi-select\") [\"basic\",\"family\"]"]
    untyped_fields: []
    numbers(): ["+12025550117"]
    addresses(): ["ada@example.com"]
    notes: [(Some("@USk3Qm8ZtY call back 🙂"), Some(UserId("USk3Qm8ZtY")), Some(2026-02-04T11:00:00Z))]
    shared_with: ["USk3Qm8ZtY"]
    user_id: UserId("USk3Qm8ZtY")
    created_at: 2026-02-04T10:59:00Z
    updated_at: 2026-02-04T11:00:00Z
    "#);
}

#[test]
fn v3_contact_updated_labels() {
    assert_snapshot!(describe(&event("v3.contact.updated.labels")), @r#"
    contact.updated EVb0000000000000000000000000000008 v3 2026-02-04T12:00:00.100+00:00
    replay_id: "EVb0000000000000000000000000000008"
    id: CT65a1b2c3d4e5f60718293a4c
    first_name: "Ada"
    last_name: ""
    untyped_fields: ["None None Some(\"Email\") None \"ada@example.com\"", "None None Some(\"Extension\") None \"143\"", "None None Some(\"Phone\") None [\"+12025550117\",\"+12025550118\"]", "None None Some(\"Size\") None \"XL\""]
    numbers(): ["+12025550117", "+12025550118"]
    addresses(): ["ada@example.com"]
    notes: []
    shared_with: ["USk3Qm8ZtY", "OR4n6P8q0R"]
    user_id: UserId("USk3Qm8ZtY")
    created_at: 2026-02-04T12:00:00Z
    updated_at: 2026-02-04T12:00:00Z
    "#);
}

#[test]
fn v3_message_delivered() {
    assert_snapshot!(describe(&event("v3.message.delivered")), @r#"
    message.delivered EVb0000000000000000000000000000003 v3 2026-02-04T09:21:00+00:00
    replay_id: "EVb0000000000000000000000000000003"
    id: AC5e1c0f7a92b34d68
    direction: Outgoing
    status: Delivered
    text: "Yes, until six."
    from: "+12025550143"
    to: ["+12025550117"]
    media: []
    contacts: NotReported
    phone_number_id: PhoneNumberId("PNb7Xw2LqR")
    conversation_id: ConversationId("CN6c9d0e1f2a3b4c5d")
    user_id: UserId("USk3Qm8ZtY")
    created_at: 2026-02-03T09:15:01.120Z
    "#);
}

#[test]
fn v3_message_received() {
    assert_snapshot!(describe(&event("v3.message.received")), @r#"
    message.received EVb0000000000000000000000000000001 v3 2026-02-04T09:15:01.512+00:00
    replay_id: "EVb0000000000000000000000000000001"
    id: AC5e1c0f7a92b34d68
    direction: Incoming
    status: Received
    text: "Is the blue one in stock?"
    from: "+12025550117"
    to: ["+12025550143"]
    media: []
    contacts: NotReported
    phone_number_id: PhoneNumberId("PNb7Xw2LqR")
    conversation_id: ConversationId("CN6c9d0e1f2a3b4c5d")
    user_id: UserId("USk3Qm8ZtY")
    created_at: 2026-02-03T09:15:01.120Z
    "#);
}

#[test]
fn v3_message_received_group() {
    assert_snapshot!(describe(&event("v3.message.received.group")), @r#"
    message.received EVb0000000000000000000000000000002 v3 2026-02-04T09:20:01.512+00:00
    replay_id: "EVb0000000000000000000000000000002"
    id: AC5e1c0f7a92b34d68
    direction: Incoming
    status: Received
    text: "Dinner at eight?"
    from: "+12025550117"
    to: ["+12025550143", "+12025550118", "+12025550119"]
    media: []
    contacts: NotReported
    phone_number_id: PhoneNumberId("PNb7Xw2LqR")
    conversation_id: ConversationId("CN6c9d0e1f2a3b4c5d")
    user_id: UserId("USk3Qm8ZtY")
    created_at: 2026-02-03T09:15:01.120Z
    "#);
}
