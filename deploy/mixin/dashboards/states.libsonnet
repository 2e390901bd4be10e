// The states of an upgrade as people read them. One meaning has one colour everywhere.
{
  colours: {
    none: '#8E8E8E',
    running: '#5794F2',
    prechecking: '#A7C7F9',
    paused: '#FF9830',
    success: '#73BF69',
    failed: '#F2495C',
    canceled: '#64748B',
    unknown: '#B877D9',
    down: '#8F1D2C',
    // Tiles that say how much and not how well, and tiles that count nothing.
    plain: 'rgba(142, 142, 142, 0.15)',
    zero: 'rgba(142, 142, 142, 0.10)',
  },

  local colours = self.colours,

  // `[value of the label, number in a timeline, text, colour]`
  status: [
    ['none', 1, 'None', colours.none],
    ['running', 2, 'Running', colours.running],
    ['pause', 3, 'Paused', colours.paused],
    ['success', 4, 'Success', colours.success],
    ['fail', 5, 'Failed', colours.failed],
    ['canceled', 6, 'Canceled', colours.canceled],
    ['unknown', 7, 'Unknown', colours.unknown],
  ],
  // A cluster that does not answer has no status.
  down: ['down', 8, 'Not answering', colours.down],
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
  query: [
    ['up', 31, 'Answered', colours.success],
    ['down', 30, 'Not answering', colours.down],
  ],

  // Rows for a mapping, by the label's value and by its number.
  named(states): [[state[0], state[2], state[3]] for state in states],
  numbered(states): [[state[1], state[2], state[3]] for state in states],
}
