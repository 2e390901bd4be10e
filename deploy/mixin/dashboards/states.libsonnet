// The states of an upgrade as people read them. One meaning has one colour everywhere. Each two of these colours differ for people who do
// not see red, or green, as others do: tests/dashboards/colours.py measures it.
{
  colours: {
    failed: '#FA4942',
    paused: '#FEC123',
    unknown: '#770FEE',
    down: '#710200',
    running: '#3981E0',
    prechecking: '#A9C8FC',
    canceled: '#364464',
    success: '#83E9A5',
    none: '#8A8D91',
    other: '#F6F08A',
    // Tiles that say how much and not how well, and tiles that count nothing.
    plain: 'rgba(142, 142, 142, 0.15)',
    zero: 'rgba(142, 142, 142, 0.10)',
  },

  local states = self,
  local colours = self.colours,

  // `[value of the label, rank, text, colour]`. What needs somebody ranks first. Alibaba Cloud pauses an upgrade that breaks: with an error
  // a pause is a failure. A cluster that does not answer has no status.
  fail: ['fail', 1, 'Failed', colours.failed],
  pausedOnError: ['paused_on_error', 2, 'Paused on error', colours.failed],
  pause: ['pause', 3, 'Paused', colours.paused],
  unknown: ['unknown', 4, 'Unknown', colours.unknown],
  down: ['down', 5, 'Not answering', colours.down],
  running: ['running', 6, 'Running', colours.running],
  canceled: ['canceled', 7, 'Canceled', colours.canceled],
  success: ['success', 8, 'Success', colours.success],
  none: ['none', 9, 'Never upgraded', colours.none],
  status: [
    states.fail,
    states.pausedOnError,
    states.pause,
    states.unknown,
    states.down,
    states.running,
    states.canceled,
    states.success,
    states.none,
  ],

  step: [
    ['not_start', 11, 'Not started', colours.none],
    ['prechecking', 12, 'Prechecking', colours.prechecking],
    ['upgrading', 13, 'Upgrading', colours.running],
    ['pause', 14, 'Paused', colours.paused],
    ['success', 15, 'Success', colours.success],
    ['unknown', 16, 'Unknown', colours.unknown],
  ],
  task: [
    ['none', 21, 'None', colours.none],
    ['running', 22, 'Running', colours.running],
    ['success', 23, 'Success', colours.success],
    ['failed', 24, 'Failed', colours.failed],
    ['unknown', 25, 'Unknown', colours.unknown],
  ],
  // Of the newest upgrade of a node pool.
  pool: [
    states.fail,
    states.pause,
    states.unknown,
    states.running,
    states.canceled,
    states.success,
    ['none', 9, 'None', colours.none],
  ],
  poolState: [
    ['active', 1, 'Active', colours.success],
    ['updating', 2, 'Updating', colours.running],
    ['scaling', 3, 'Scaling', colours.prechecking],
    ['initial', 4, 'Initial', colours.none],
    ['removing', 5, 'Removing', colours.canceled],
    ['deleting', 6, 'Deleting', colours.canceled],
    ['failed', 7, 'Failed', colours.failed],
    ['unknown', 8, 'Unknown', colours.unknown],
  ],
  plan: [
    ['failed', 1, 'Failed', colours.failed],
    ['validating_failed', 2, 'Precheck failed', colours.failed],
    ['executing', 3, 'Executing', colours.running],
    ['scheduled', 4, 'Scheduled', colours.prechecking],
    ['unknown', 5, 'Unknown', colours.unknown],
    ['canceled', 6, 'Canceled', colours.canceled],
    ['executed', 7, 'Executed', colours.success],
  ],
  precheck: [
    ['failed', 41, 'Failed', colours.failed],
    ['warning', 42, 'Warning', colours.paused],
    ['unknown', 43, 'Unknown', colours.unknown],
    ['passed', 44, 'Passed', colours.success],
  ],
  query: [
    ['up', 31, 'Answered', colours.success],
    ['down', 30, 'Not answering', colours.down],
  ],
  severity: [
    ['critical', 1, 'Critical', colours.failed],
    ['warning', 2, 'Warning', colours.paused],
    ['info', 3, 'Info', colours.running],
    ['', 4, 'Other', colours.none],
  ],

  // Rows for a mapping, by the label's value and by its number.
  named(states): [[state[0], state[2], state[3]] for state in states],
  numbered(states): [[state[1], state[2], state[3]] for state in states],
}
