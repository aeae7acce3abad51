import { cleanup, configure } from '@testing-library/react';
import { afterEach } from 'vitest';

// A lazy page is compiled when a test first opens it, which takes seconds on a busy machine.
configure({ asyncUtilTimeout: 10_000 });
afterEach(cleanup);
