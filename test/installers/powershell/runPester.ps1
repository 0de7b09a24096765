# Runs the Pester tests of this folder and prints what became of each, as JSON.
param([string] $Module)
Import-Module $Module
$configuration = New-PesterConfiguration
$configuration.Run.Path = $PSScriptRoot
$configuration.Run.PassThru = $true
$configuration.Output.Verbosity = 'None'
$run = Invoke-Pester -Configuration $configuration
$tests = @($run.Tests | ForEach-Object {
        @{ name = $_.ExpandedPath; result = $_.Result; error = (@($_.ErrorRecord) | ForEach-Object { "$_" }) -join "`n" }
    })
@{ tests = $tests; failedContainers = $run.FailedContainersCount } | ConvertTo-Json -Depth 5
