//! A way in from the internet, through a program that the person starts for it. Nothing here
//! starts by itself, and nothing starts again.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use devrig_core::{Code, Error, Result};
use devrig_process::{Child, ChildSpec, OutputPolicy, Ring, escape_line, find_program, spawn};
use url::{Host, Url};

/// For whoever is about to start one.
pub const EXPOSES: &str = "Anybody on the internet who knows the address can send requests to \
    every webhook path of this DevRig; those without a signature or token let anybody in. The \
    service that runs the tunnel can read the requests and the answers. cloudflared leads to \
    this one port; a command of your own leads wherever it says.";

/// Plenty for the lines up to the address, and for the last words.
const OUTPUT: OutputPolicy = OutputPolicy::Ring(64 * 1024);
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// cloudflared waits for running requests when it is asked to end; we do not wait as long.
const GRACE: Duration = Duration::from_secs(3);
const QUOTE: usize = 300;

/// Which program makes the tunnel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TunnelKind {
    /// A quick tunnel of Cloudflare's, without an account, under a new name each time.
    Cloudflared,
    /// Program and arguments, `{port}` standing for the listener's port. It prints its address.
    Command(Vec<String>),
}

/// What a tunnel is started with.
#[derive(Debug, Clone)]
pub struct TunnelOptions {
    /// All that the program gets. It is looked up in the `PATH` among them.
    pub environment: Vec<(OsString, OsString)>,
    /// How long it may take to print its address.
    pub patience: Duration,
}

/// How a tunnel stands.
#[derive(Debug, Clone)]
pub enum TunnelState {
    Open(Url),
    /// The address leads nowhere any more.
    Ended(Error),
}

/// A running tunnel. Dropping it kills the program with everything that it started.
#[derive(Debug)]
pub struct Tunnel {
    child: Child,
    name: String,
    url: Url,
    stopped: AtomicBool,
}

impl Tunnel {
    /// Starts the program, and returns once it has told its address. Dropping the future ends it.
    pub async fn start(kind: &TunnelKind, port: u16, options: &TunnelOptions) -> Result<Self> {
        let mut spec = kind.spec(port, options)?;
        let name = file_name(&spec.program);
        spec.env = options.environment.clone();
        (spec.stdout, spec.stderr) = (OUTPUT, OUTPUT);
        let child = spawn(spec)?;
        let found = tokio::select! {
            biased;
            url = address(kind, &child) => Ok(url),
            _ = child.wait() => Err(ended(&name, &child)),
            () = tokio::time::sleep(options.patience) => {
                Err(silent(&name, &child, options.patience))
            }
        };
        match found {
            Ok(url) => Ok(Self { child, name, url, stopped: AtomicBool::new(false) }),
            Err(error) => {
                child.kill_tree();
                child.wait().await;
                Err(error)
            }
        }
    }

    /// The address, for as long as the program runs.
    pub fn public_url(&self) -> Option<&Url> {
        self.child.exited().is_none().then_some(&self.url)
    }

    pub fn state(&self) -> TunnelState {
        match self.child.exited() {
            None => TunnelState::Open(self.url.clone()),
            Some(_) => TunnelState::Ended(self.why()),
        }
    }

    /// Waits for the end, whoever brings it about, and tells why. May be called by several tasks.
    pub async fn ended(&self) -> Error {
        self.child.wait().await;
        self.why()
    }

    /// Asks the program to end, and kills it with everything that it started after 3 s.
    pub async fn stop(&self) {
        if self.child.exited().is_none() {
            self.stopped.store(true, Ordering::Relaxed);
        }
        self.child.stop(GRACE).await;
    }

    fn why(&self) -> Error {
        if self.stopped.load(Ordering::Relaxed) {
            return Error::new(Code::Cancelled, "the tunnel was stopped");
        }
        ended(&self.name, &self.child)
    }
}

impl TunnelKind {
    fn spec(&self, port: u16, options: &TunnelOptions) -> Result<ChildSpec> {
        match self {
            TunnelKind::Cloudflared => {
                let program = options.find("cloudflared").ok_or_else(no_cloudflared)?;
                let target = format!("http://127.0.0.1:{port}");
                Ok(ChildSpec::new(program).args(["tunnel", "--no-autoupdate", "--url", &target]))
            }
            TunnelKind::Command(words) => command(words, port, options),
        }
    }

    /// Whether an address that was printed is the tunnel's.
    fn is_address(&self, url: &Url) -> bool {
        let Some(Host::Domain(host)) = url.host() else {
            return false;
        };
        match self {
            // Its own service is named in what it prints when that cannot be reached.
            TunnelKind::Cloudflared => host
                .strip_suffix(".trycloudflare.com")
                .is_some_and(|name| !name.contains('.') && name != "api"),
            TunnelKind::Command(_) => host.contains('.') && !host.ends_with(".localhost"),
        }
    }
}

impl TunnelOptions {
    fn find(&self, program: &str) -> Option<PathBuf> {
        let (_, path) = self.environment.iter().find(|(name, _)| name == "PATH")?;
        find_program(program, path)
    }
}

fn command(words: &[String], port: u16, options: &TunnelOptions) -> Result<ChildSpec> {
    let hint = "Write it like: ngrok http {port} --log stdout";
    let [program, args @ ..] = words else {
        return Err(Error::invalid("the command for the tunnel is empty").hint(hint));
    };
    if !args.iter().any(|word| word.contains("{port}")) {
        let text =
            format!("the command {program:?} for the tunnel does not say where {{port}} goes");
        return Err(Error::invalid(text).hint(hint));
    }
    let file = match Path::new(program) {
        path if path.is_absolute() => Some(path.to_owned()),
        _ => options.find(program),
    };
    let file = file.ok_or_else(|| {
        let text = format!("the program {program:?} for the tunnel was not found in PATH");
        Error::new(Code::NotFound, text).hint("Install it, or name it by its whole path.")
    })?;
    let port = port.to_string();
    Ok(ChildSpec::new(file).args(args.iter().map(|word| word.replace("{port}", &port))))
}

/// Looks into what is printed until the address is there.
async fn address(kind: &TunnelKind, child: &Child) -> Url {
    let mut seen = 0;
    loop {
        let total = child.stdout().total() + child.stderr().total();
        if total > seen {
            seen = total;
            let mut printed = urls(child.stdout()).into_iter().chain(urls(child.stderr()));
            if let Some(url) = printed.find(|url| kind.is_address(url)) {
                return url;
            }
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

fn urls(output: &Ring) -> Vec<Url> {
    let bytes = output.bytes();
    let text = String::from_utf8_lossy(&bytes);
    let starts = text.match_indices("https://").map(|(at, _)| &text[at..]);
    starts.filter_map(leading_url).collect()
}

/// The address that a text begins with, once something after it shows that it is whole.
fn leading_url(text: &str) -> Option<Url> {
    let ends = |c: char| c.is_whitespace() || c.is_control() || "\"'`<>|()[]{}\\".contains(c);
    let whole = &text[..text.find(ends)?];
    let url = Url::parse(whole.trim_end_matches(['.', ',', ';', ':', '!'])).ok()?;
    (url.username().is_empty() && url.password().is_none()).then_some(url)
}

fn ended(name: &str, child: &Child) -> Error {
    let exit = child.exited().map_or_else(String::new, |exit| format!(" ({exit})"));
    let text = format!("the tunnel's program {name} ended{exit}{}", last_words(child));
    Error::new(Code::Io, text).hint("See what it says, then start the tunnel again.")
}

fn silent(name: &str, child: &Child, patience: Duration) -> Error {
    let seconds = patience.as_secs_f32();
    let text = format!("{name} told no https address within {seconds} s{}", last_words(child));
    Error::new(Code::Timeout, text)
        .hint("Check the network, and that the command prints the address to its output.")
}

/// The last line that it printed, to quote.
fn last_words(child: &Child) -> String {
    [child.stderr(), child.stdout()]
        .iter()
        .find_map(|ring| {
            let bytes = ring.bytes();
            let text = String::from_utf8_lossy(&bytes);
            let line = text.lines().rfind(|line| !line.trim().is_empty())?;
            let quote: String = escape_line(line.trim().as_bytes()).chars().take(QUOTE).collect();
            Some(format!(": {quote}"))
        })
        .unwrap_or_default()
}

fn no_cloudflared() -> Error {
    Error::new(Code::NotFound, "cloudflared was not found in the folders of PATH").hint(
        "Install it (macOS: brew install cloudflared; Windows: winget install \
         Cloudflare.cloudflared; Linux: the package from https://pkg.cloudflare.com), or choose a \
         command of your own for the tunnel.",
    )
}

fn file_name(program: &Path) -> String {
    program.file_name().unwrap_or(program.as_os_str()).to_string_lossy().into_owned()
}
