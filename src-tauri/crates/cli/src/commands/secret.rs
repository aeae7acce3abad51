//! Secrets: in by standard input, out never.

use std::io::{IsTerminal, Read};
use std::process::ExitCode;

use devrig_core::id::AccountId;
use devrig_core::{Error, Result};
use devrig_engine::api::secret::{
    KeepArgs, KeptIn, KeychainState, KeychainStatus, SecretArgs, SecretSetArgs, UnlockArgs,
};
use devrig_engine::{Api, NoArgs};

use super::plugin::find_account;
use crate::args::{Place, Secret};
use crate::output::{Output, table};

/// A secret is a token or a password, not a file.
const LONGEST: u64 = 64 * 1024;

pub async fn run(command: Secret, api: &dyn Api, output: Output) -> Result<ExitCode> {
    match command {
        Secret::Set { name, plugin, account } => {
            let account = owner(api, plugin, account).await?;
            let value = read_value()?;
            api.secret_set(SecretSetArgs { account, name: name.clone(), value }).await?;
            output.done(&format!("{name} is stored, encrypted."))
        }
        Secret::List => {
            let secrets = api.secret_list(NoArgs {}).await?;
            output.show(&secrets, |secrets| {
                table(
                    ["NAME", "PLUGIN", "ACCOUNT", "CHANGED"],
                    secrets.iter().map(|secret| {
                        [
                            secret.name.clone(),
                            secret.plugin.clone().unwrap_or_else(|| "flows".to_owned()),
                            secret.account.as_ref().map(ToString::to_string).unwrap_or_default(),
                            secret.updated_at.to_string(),
                        ]
                    }),
                )
            })
        }
        Secret::Status => show(api.keychain_status(NoArgs {}).await?, output),
        Secret::Unlock => show(unlock(api).await?, output),
        Secret::Rotate => {
            if api.keychain_status(NoArgs {}).await?.kept_in == KeptIn::Passphrase {
                return Err(Error::invalid("a key under a passphrase changes with the passphrase")
                    .hint("Pipe a new one to `devrig secret keep passphrase`."));
            }
            let args = KeepArgs { kept_in: KeptIn::Keychain, passphrase: None };
            show(api.keychain_keep(args).await?, output)
        }
        Secret::Keep { place } => {
            let args = match place {
                Place::Keychain => KeepArgs { kept_in: KeptIn::Keychain, passphrase: None },
                Place::Passphrase => {
                    KeepArgs { kept_in: KeptIn::Passphrase, passphrase: Some(read_value()?) }
                }
            };
            show(api.keychain_keep(args).await?, output)
        }
        Secret::Delete { name, plugin, account } => {
            let account = owner(api, plugin, account).await?;
            api.secret_delete(SecretArgs { account, name: name.clone() }).await?;
            output.done(&format!("{name} is deleted."))
        }
    }
}

/// Whose secret it is: an account's where a plugin is named, else the flows'.
async fn owner(
    api: &dyn Api,
    plugin: Option<String>,
    account: crate::args::Account,
) -> Result<Option<AccountId>> {
    match (plugin, account.account) {
        (Some(plugin), account) => {
            Ok(Some(find_account(api, &plugin, account.as_deref()).await?.id))
        }
        (None, None) => Ok(None),
        (None, Some(account)) => {
            Err(Error::invalid(format!("the account {account} is given without its plugin"))
                .hint("Name it with --plugin."))
        }
    }
}

/// With the passphrase from standard input, where one is in use.
pub async fn unlock(api: &dyn Api) -> Result<KeychainStatus> {
    let status = api.keychain_status(NoArgs {}).await?;
    let passphrase = match status.kept_in {
        KeptIn::Passphrase if status.state != KeychainState::Ready => Some(read_value()?),
        _ => None,
    };
    api.keychain_unlock(UnlockArgs { passphrase }).await
}

fn show(status: KeychainStatus, output: Output) -> Result<ExitCode> {
    output.show(&status, |status| {
        let hint = status.hint.as_deref().unwrap_or_default();
        format!("{} {hint}", status.message).trim_end().to_owned()
    })?;
    let ready = status.state == KeychainState::Ready;
    Ok(if ready { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// All of standard input without its last line break.
pub fn read_value() -> Result<String> {
    if std::io::stdin().is_terminal() {
        eprintln!("Paste the value, then press Enter and Ctrl-D.");
    }
    let mut value = String::new();
    std::io::stdin().take(LONGEST + 1).read_to_string(&mut value)?;
    if value.len() as u64 > LONGEST {
        return Err(Error::invalid("standard input holds more than 64 KB, which is no secret"));
    }
    let value = value.trim_end_matches(['\n', '\r']).to_owned();
    if value.is_empty() {
        return Err(Error::invalid("standard input is empty, so there is nothing to store")
            .hint("Pipe the value in: printf %s \"$TOKEN\" | devrig secret set NAME --plugin P"));
    }
    Ok(value)
}
