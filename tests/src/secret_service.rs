//! A real Secret Service for tests: a private message bus and a gnome-keyring of its own, in a
//! temporary home, without a display. Nothing of the person's session is touched, and the test
//! process keeps its environment: callers pass the bus by its address.
//!
//! Needs the packages `dbus` and `gnome-keyring`.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use zbus::zvariant::{ObjectPath, OwnedObjectPath, OwnedValue, Value};

const PASSWORD: &str = "correct horse";
const SERVICE: &str = "org.freedesktop.secrets";
const ROOT: &str = "/org/freedesktop/secrets";
const LOGIN: &str = "/org/freedesktop/secrets/collection/login";
const PATIENCE: Duration = Duration::from_secs(20);

/// The bus, and the keyring on it when one was started. Dropping it ends both.
pub struct PrivateBus {
    folder: tempfile::TempDir,
    bus: Child,
    keyring: Option<Child>,
}

impl PrivateBus {
    /// A bus that has no keyring and starts none by itself.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for name in ["run", "home", "data/keyrings", "config", "cache"] {
            std::fs::create_dir_all(folder.path().join(name)).expect("a folder");
        }
        private(&folder.path().join("run"));
        let config = folder.path().join("bus.conf");
        let socket = folder.path().join("bus");
        // Without a service folder nothing can be activated, so "absent" stays absent.
        let text = format!(
            r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path={}</listen>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/>
  </policy>
</busconfig>"#,
            socket.display()
        );
        std::fs::write(&config, text).expect("the bus's configuration");
        let bus = Command::new("dbus-daemon")
            .arg(format!("--config-file={}", config.display()))
            .args(["--nofork", "--nopidfile", "--nosyslog"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("dbus-daemon: install the package dbus");
        wait("the bus", || socket.exists());
        Self { folder, bus, keyring: None }
    }

    pub fn address(&self) -> String {
        format!("unix:path={}", self.folder.path().join("bus").display())
    }

    /// Where the keyring keeps its files.
    pub fn keyrings(&self) -> PathBuf {
        self.folder.path().join("data/keyrings")
    }

    /// Starts the keyring with its login collection open; the first time makes it.
    pub async fn start_unlocked(&mut self) {
        self.spawn(Some(PASSWORD)).await;
    }

    /// Starts the keyring as a session does that was not logged in to by password.
    pub async fn start_locked(&mut self) {
        self.spawn(None).await;
    }

    async fn spawn(&mut self, password: Option<&str>) {
        self.stop();
        let at = |name: &str| self.folder.path().join(name);
        let mut keyring = Command::new("gnome-keyring-daemon")
            .args(["--foreground", "--components=secrets"])
            .args(password.map(|_| "--unlock"))
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", at("home"))
            .env("XDG_RUNTIME_DIR", at("run"))
            .env("XDG_DATA_HOME", at("data"))
            .env("XDG_CONFIG_HOME", at("config"))
            .env("XDG_CACHE_HOME", at("cache"))
            .env("DBUS_SESSION_BUS_ADDRESS", self.address())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("gnome-keyring-daemon: install the package gnome-keyring");
        let mut stdin = keyring.stdin.take().expect("a pipe was asked for");
        stdin.write_all(password.unwrap_or_default().as_bytes()).expect("writing the password");
        drop(stdin);
        self.keyring = Some(keyring);
        let start = Instant::now();
        while !self.is_owned().await {
            assert!(start.elapsed() < PATIENCE, "the keyring did not start");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    async fn is_owned(&self) -> bool {
        let bus = self.connect().await;
        let bus = zbus::fdo::DBusProxy::new(&bus).await.expect("the bus's own interface");
        bus.name_has_owner(SERVICE.try_into().expect("a name")).await.expect("an answer")
    }

    /// Kills the keyring; its files stay.
    pub fn stop(&mut self) {
        if let Some(keyring) = &mut self.keyring {
            end(keyring);
        }
        self.keyring = None;
    }

    /// Makes the keyring hang, or go on.
    pub fn hang(&self, hang: bool) {
        let signal = if hang { "-STOP" } else { "-CONT" };
        let pid = self.keyring.as_ref().expect("a running keyring").id().to_string();
        let sent = Command::new("kill").args([signal, &pid]).status().expect("kill");
        assert!(sent.success());
    }

    /// Locks the login collection.
    pub async fn lock(&self) {
        let login = ObjectPath::try_from(LOGIN).expect("a path");
        self.connect()
            .await
            .call_method(
                Some(SERVICE),
                ROOT,
                Some("org.freedesktop.Secret.Service"),
                "Lock",
                &vec![login],
            )
            .await
            .expect("locking");
    }

    /// Unlocks the login collection, as the person typing the password would.
    pub async fn unlock(&self) {
        let bus = self.connect().await;
        let (_, session): (OwnedValue, OwnedObjectPath) = bus
            .call_method(
                Some(SERVICE),
                ROOT,
                Some("org.freedesktop.Secret.Service"),
                "OpenSession",
                &("plain", Value::from("")),
            )
            .await
            .expect("a session")
            .body()
            .deserialize()
            .expect("a session's path");
        let login = ObjectPath::try_from(LOGIN).expect("a path");
        let password = (session, Vec::<u8>::new(), PASSWORD.as_bytes(), "text/plain");
        bus.call_method(
            Some(SERVICE),
            ROOT,
            Some("org.gnome.keyring.InternalUnsupportedGuiltRiddenInterface"),
            "UnlockWithMasterPassword",
            &(login, password),
        )
        .await
        .expect("unlocking");
    }

    async fn connect(&self) -> zbus::Connection {
        zbus::connection::Builder::address(self.address().as_str())
            .expect("an address")
            .build()
            .await
            .expect("the private bus")
    }
}

impl Drop for PrivateBus {
    fn drop(&mut self) {
        self.stop();
        end(&mut self.bus);
    }
}

/// Ends a child of ours by its id, also a hung one.
fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

fn wait(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < PATIENCE, "{what} did not start");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn private(folder: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let owner_only = std::fs::Permissions::from_mode(0o700);
    std::fs::set_permissions(folder, owner_only).expect("permissions");
}
