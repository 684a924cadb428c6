//! A server that goes away in the middle and comes back.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use contact_sync::{SignupHook, SignupStore, StaticDirectory};
use integration_store::PostgresStore;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::places::{ann, person, tenant};
use crate::server;

/// What lies between the store and its server, and can be cut.
struct Wire {
    port: u16,
    is_cut: watch::Sender<bool>,
}

impl Wire {
    async fn to(host: String, port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let here = listener.local_addr().unwrap().port();
        let (is_cut, cut) = watch::channel(false);
        tokio::spawn(async move {
            loop {
                let (mut near, _) = listener.accept().await.unwrap();
                let (host, mut cut) = (host.clone(), cut.clone());
                tokio::spawn(async move {
                    if *cut.borrow() {
                        return;
                    }
                    let mut far = TcpStream::connect((host, port)).await.unwrap();
                    tokio::select! {
                        _ = tokio::io::copy_bidirectional(&mut near, &mut far) => {}
                        _ = cut.wait_for(|cut| *cut) => {}
                    }
                });
            }
        });
        Self { port: here, is_cut }
    }
}

#[tokio::test]
async fn a_signup_is_on_the_server_or_was_not_accepted() {
    let Some(schema) = server::schema() else {
        return;
    };
    let options = PgConnectOptions::from_str(schema.url()).unwrap();
    let wire = Wire::to(options.get_host().to_owned(), options.get_port()).await;
    let pool = PgPoolOptions::new()
        .max_connections(4)
        .acquire_timeout(Duration::from_secs(2))
        .connect_with(options.host("127.0.0.1").port(wire.port))
        .await
        .unwrap();
    let builder = PostgresStore::builder().schema(&schema.name);
    let store = builder.from_pool(pool).await.unwrap();
    let hook = SignupHook::new(Arc::new(store.clone()), StaticDirectory::new().on("a"));
    let (sender, mut done) = tokio::sync::mpsc::channel(1_000);
    for caller in 0..8 {
        let (hook, sender) = (hook.clone(), sender.clone());
        tokio::spawn(async move {
            for n in 0..60 {
                let signup = ann().email(format!("ann{caller}.{n}@example.com"));
                let accepted = hook.on_signup(signup.clone()).await.is_ok();
                sender.send((signup, accepted)).await.unwrap();
            }
        });
    }
    drop(sender);
    let (mut accepted, mut refused) = (Vec::new(), 0);
    while let Some((signup, is_accepted)) = done.recv().await {
        // Cut in the middle of what the others write, and mended when everybody has run into it.
        if is_accepted {
            accepted.push(signup);
            if accepted.len() == 100 {
                wire.is_cut.send_replace(true);
            }
        } else {
            refused += 1;
            if refused == 8 {
                wire.is_cut.send_replace(false);
            }
        }
    }
    assert!(refused >= 8 && accepted.len() > 200, "{refused} refused");
    for signup in accepted {
        let found = store.find(&tenant(), person(&signup).key()).await.unwrap();
        assert!(found.is_some(), "what was accepted is there");
    }
}
