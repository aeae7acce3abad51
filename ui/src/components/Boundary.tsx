import { Component, type ReactNode } from 'react';

import { toError } from '../platform/platform';
import { ErrorNote } from './ErrorNote';

/** A pane that breaks costs that pane. */
export class Boundary extends Component<{ name: string; children: ReactNode }, { thrown: unknown }> {
  override state = { thrown: null as unknown };

  static getDerivedStateFromError(thrown: unknown) {
    return { thrown };
  }

  override render() {
    if (this.state.thrown === null) return this.props.children;
    return <ErrorNote className="m-3" title={`${this.props.name} could not be shown`} error={toError(this.state.thrown)} onRetry={() => this.setState({ thrown: null })} />;
  }
}
