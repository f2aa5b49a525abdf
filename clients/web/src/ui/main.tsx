// SPDX-License-Identifier: MIT
// The page's beginning. Rule: what is imported from here without `import()` is the first load, and
// a test weighs it.
import { render } from 'preact';

import { App } from './app.tsx';
import { client } from './client.ts';
import { answerWorker } from './push.ts';
import { startTheme } from './settings.ts';
import { startWorker } from './worker.ts';
import './styles/tokens.css';
import './styles/base.css';
import './styles/controls.css';
import './styles/layout.css';
import './styles/side.css';
import './styles/chat.css';
import './styles/welcome.css';

startTheme();
const place = document.getElementById('app');
if (place) render(<App />, place);
client.start().catch((error: unknown) => reportError(error));
for (const event of ['online', 'focus', 'pageshow']) addEventListener(event, () => client.nudge());
answerWorker();
startWorker();
