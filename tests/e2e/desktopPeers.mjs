// What a desktop has beside windows: a notification daemon (dunst) and a tray (xfce4-panel).

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { until } from './webdriver.mjs';

const NOTIFICATIONS = 'org.freedesktop.Notifications';
const WATCHER = 'org.kde.StatusNotifierWatcher';

const DUNSTRC = (menu) => `[global]
  monitor = 0
  dmenu = ${menu}
  font = Monospace 11
  history_length = 100
[urgency_low]
  timeout = 60
[urgency_normal]
  timeout = 60
`;

const PANEL = `<?xml version="1.0" encoding="UTF-8"?>
<channel name="xfce4-panel" version="1.0">
  <property name="configver" type="int" value="2"/>
  <property name="panels" type="array">
    <value type="int" value="1"/>
    <property name="panel-1" type="empty">
      <property name="position" type="string" value="p=6;x=0;y=0"/>
      <property name="length" type="uint" value="100"/>
      <property name="size" type="uint" value="32"/>
      <property name="plugin-ids" type="array"><value type="int" value="1"/></property>
    </property>
  </property>
  <property name="plugins" type="empty">
    <property name="plugin-1" type="string" value="systray"/>
  </property>
</channel>
`;

function busctl(rig, ...args) {
  const text = execFileSync('busctl', ['--user', '--json=short', ...args], { env: rig.env, encoding: 'utf8' });
  return text.trim() === '' ? null : JSON.parse(text).data;
}

function owned(rig, name) {
  return busctl(rig, 'call', 'org.freedesktop.DBus', '/', 'org.freedesktop.DBus', 'NameHasOwner', 's', name)[0];
}

/** The process that owns a name of the bus, or null. */
function ownerPid(rig, name) {
  if (!owned(rig, name)) return null;
  return busctl(rig, 'call', 'org.freedesktop.DBus', '/', 'org.freedesktop.DBus', 'GetConnectionUnixProcessID', 's', name)[0];
}

/** The daemon that shows notifications; it ends with the rig. */
export class Notifications {
  #rig;
  #menu;

  static async start(rig) {
    const file = join(rig.folder, 'dunstrc');
    // The daemon lists the buttons in a menu program; this one chooses as the journey says.
    const menu = join(rig.folder, 'menu');
    writeFileSync(menu, `#!/bin/sh\ngrep -F "#$(cat ${menu}.wanted)" | head -n 1\n`, { mode: 0o755 });
    writeFileSync(file, DUNSTRC(menu));
    // A notice of an earlier journey has made the bus start a daemon of its own, without our settings.
    const shower = ownerPid(rig, NOTIFICATIONS);
    if (shower !== null) {
      process.kill(shower, 'SIGTERM');
      await until('the other notification daemon to end', () => ownerPid(rig, NOTIFICATIONS) !== shower);
    }
    const dunst = rig.run('dunst', '-config', file);
    await until('our notification daemon', () => ownerPid(rig, NOTIFICATIONS) === dunst.pid);
    const peer = new Notifications();
    peer.#rig = rig;
    peer.#menu = menu;
    return peer;
  }

  /** How many are on the screen now. */
  shown() {
    return Number(/displayed: (\d+)/i.exec(this.#dunstctl('count'))?.[1] ?? 0);
  }

  /** Presses the button with that label. */
  press(label) {
    writeFileSync(`${this.#menu}.wanted`, label);
    this.#dunstctl('context');
  }

  /** Clicks the newest as a whole. */
  click() {
    this.#dunstctl('action', '0');
  }

  /** Titles and bodies of those that left the screen, newest first. */
  past() {
    const [rows] = JSON.parse(this.#dunstctl('history')).data;
    return rows.map((row) => ({ title: row.summary.data, body: row.body.data }));
  }

  clear() {
    this.#dunstctl('close-all');
  }

  #dunstctl(...args) {
    return execFileSync('dunstctl', args, { env: this.#rig.env, encoding: 'utf8' });
  }
}

/** What gives windows their frames, and passes on the wish to close; it ends with the rig. */
export async function startFrames(rig) {
  rig.run('openbox', '--sm-disable');
  const named = () => spawnSync('xdotool', ['get_desktop'], { env: rig.env }).status === 0;
  await until('the window manager', named);
}

/** The panel with a tray; it ends with the rig. */
export class Tray {
  #rig;

  static async start(rig) {
    const folder = join(rig.env.XDG_CONFIG_HOME, 'xfce4/xfconf/xfce-perchannel-xml');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'xfce4-panel.xml'), PANEL);
    rig.run('xfce4-panel', '--disable-wm-check');
    const host = () => owned(rig, WATCHER) && busctl(rig, 'get-property', WATCHER, '/StatusNotifierWatcher', WATCHER, 'IsStatusNotifierHostRegistered');
    await until('the tray', host);
    const peer = new Tray();
    peer.#rig = rig;
    return peer;
  }

  /** What the one icon in the tray says of itself: title, tooltip and the entries of its menu. */
  item() {
    const [place] = busctl(this.#rig, 'get-property', WATCHER, '/StatusNotifierWatcher', WATCHER, 'RegisteredStatusNotifierItems');
    if (place === undefined) return null;
    const at = place.indexOf('/');
    const [bus, path] = [place.slice(0, at), place.slice(at)];
    const read = (name) => busctl(this.#rig, 'get-property', bus, path, 'org.kde.StatusNotifierItem', name);
    const menu = read('Menu');
    const [, layout] = busctl(this.#rig, 'call', '--', bus, menu, 'com.canonical.dbusmenu', 'GetLayout', 'iias', '0', '-1', '0');
    return { bus, menu, path, title: read('Title'), entries: entries(layout) };
  }

  /** Chooses the entry of the menu with that label. */
  choose(label) {
    const { bus, menu, entries: all } = this.item();
    const entry = all.find((each) => each.label === label);
    if (!entry) throw new Error(`no entry ${JSON.stringify(label)} in ${JSON.stringify(all)}`);
    busctl(this.#rig, 'call', bus, menu, 'com.canonical.dbusmenu', 'Event', 'isvu', String(entry.id), 'clicked', 'i', '0', '0');
  }

  /** A click on the icon itself. */
  click() {
    const { bus, path } = this.item();
    busctl(this.#rig, 'call', bus, path, 'org.kde.StatusNotifierItem', 'Activate', 'ii', '1', '1');
  }
}

function entries([id, properties, children]) {
  const label = properties?.label?.data;
  const below = children.flatMap((child) => entries(child.data ?? child));
  return label === undefined ? below : [{ id, label }, ...below];
}
