if ($Version) {
    Write-Output $RportVersion
    exit 0
}
$isDry = [bool] $WhatIfPreference
# What is made and removed in a temporary directory is not what a person asks about.
$WhatIfPreference = $false
if (-not ($isDry -or $Status -or $PSCmdlet.ShouldProcess([Environment]::MachineName, 'Change the RPort agent'))) {
    exit 0
}
$given = @{}
foreach ($key in $Bound.Keys) { $given[$key] = $Bound[$key] }
try {
    $code = Invoke-Installer $given $isDry
} catch {
    $Host.UI.WriteErrorLine("install.ps1: $($_.Exception.GetBaseException().Message)")
    $code = Get-ExitStatus $_.Exception
}
exit $code
