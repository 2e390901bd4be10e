// The address of the runbooks in the language of the texts.
function(config)
  config.runbookUrl + { en: '', zh: '/zh-CN' }[config.language]
