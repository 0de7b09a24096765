# What install.ps1 does, made of the functions in functions.ps1. Loading this file does nothing else.

# Takes the agent from a file or an address that the caller names, with a hash.
function Get-PackagedAgent([string] $Package, [string] $Sha256, [string] $File) {
    if ($Package -match '^https?://') {
        Save-Download $Package $File 1073741824
    } else {
        $from = Get-FullPath $Package
        if (-not [System.IO.File]::Exists($from)) { Stop-Installation Usage "There is no file $Package." }
        [System.IO.File]::Copy($from, $File)
    }
    Assert-RightFile $File $Package 0 $Sha256
}

# Fetches the agent of this release, unless it is installed already; answers where it is.
function Get-ReleasedAgent([string] $Server, [string] $Installed, [string] $File) {
    $wanted = Select-ManifestFile $RportManifest
    if ([System.IO.File]::Exists($Installed) -and (Get-Sha256 $Installed) -ceq $wanted.Sha256) {
        [System.IO.File]::Copy($Installed, $File)
        # The copy is what is run, and what it was made of may have changed since.
        Assert-RightFile $File $wanted.Name $wanted.Size $wanted.Sha256
        return
    }
    $megabytes = [Math]::Ceiling($wanted.Size / 1000000)
    Write-Line "Fetching the agent $RportVersion ($megabytes MB)."
    $name = $wanted.Name
    if ($wanted.Packed -ne '') { $name = $wanted.Packed }
    Save-Download "$($Server.TrimEnd('/'))/agent/$RportVersion/$name" $File $wanted.Size
    Assert-RightFile $File $wanted.Name $wanted.Size $wanted.Sha256
}

# The agent that is installed knows its server's key, and looks whether the server has signed this, and whether
# that is older than itself. One that has not this question, or another server, answers with other statuses.
function Assert-Signed([hashtable] $Given, [string] $Program, [string] $File, [hashtable] $Environment) {
    if ($Given['Force'] -or $Given['Package'] -or -not [System.IO.File]::Exists($Program)) { return }
    if ((Get-Sha256 $Program) -ceq (Get-Sha256 $File)) { return }
    $found = ''
    if (Test-Elevated) { $found = Get-Distrust $Program (Get-Folder $Program) }
    if ($found) {
        Write-Line "$found. So the agent that is installed is not asked whether its server has signed the new one."
        return
    }
    $arguments = @('verify', "--server=$($Given['Server'])", "--file=$File")
    $arguments += @(Get-SharedArguments $Given $false @())
    $code = $ExitStatus.Usage
    if ($Given['AllowDowngrade']) {
        $said = New-Object System.Collections.ArrayList
        $code = Invoke-Program $Program ($arguments + '--allow-downgrade') -Environment $Environment -Into $said
    }
    # One that knows the question may not yet know the option.
    if ($code -eq $ExitStatus.Usage) {
        $said = New-Object System.Collections.ArrayList
        $code = Invoke-Program $Program $arguments -Environment $Environment -Into $said
    }
    foreach ($kind in @('Network', 'Checksum')) {
        if ($code -eq $ExitStatus[$kind]) { Stop-Installation $kind ($said -join ' ') }
    }
}

# On systems with modes a file that was fetched is no program yet.
function Enable-Program([string] $File) {
    if ([System.IO.Path]::DirectorySeparatorChar -eq '\') { return }
    Invoke-Quietly 'chmod' @('700', $File)
}

# The last word about whether a program runs on a machine is to run it.
function Assert-Runs([string] $File) {
    $said = New-Object System.Collections.ArrayList
    try {
        [void] (Invoke-Program $File @('--version') -Into $said)
    } catch {
        [void] $said.Add($_.Exception.GetBaseException().Message)
    }
    $words = $said -join ' '
    if ($words -notmatch '^rport-agent \S+$') {
        Stop-Installation Unsupported "The agent does not run on this machine. It says: $words"
    }
}

# The arguments of the agent's own installer.
function Get-InstallArguments([hashtable] $Given, [bool] $IsDry, [bool] $HasToken) {
    $list = @('install', "--server=$($Given['Server'])")
    if ($Given['Pairing']) { $list += "--pairing=$($Given['Pairing'])" }
    if ($HasToken) { $list += '--token-stdin' }
    if ($Given.ContainsKey('Name')) { $list += "--name=$($Given['Name'])" }
    if ($Given.ContainsKey('Tag')) { foreach ($one in $Given['Tag']) { $list += "--tag=$one" } }
    return $list + @(Get-SharedArguments $Given $IsDry @('NewId', 'Force', 'NoService', 'NoStart'))
}

# Switches as the agent spells them: --new-id for -NewId.
function Get-SharedArguments([hashtable] $Given, [bool] $IsDry, [string[]] $Switches) {
    $list = @()
    if ($Given['Prefix']) { $list += "--prefix=$($Given['Prefix'])" }
    foreach ($name in $Switches) {
        if ($Given.ContainsKey($name) -and $Given[$name]) {
            $list += '--' + ([regex]::Replace($name, '(?<!^)([A-Z])', '-$1')).ToLowerInvariant()
        }
    }
    if ($IsDry) { $list += '--dry-run' }
    return $list
}

# Asking for a token that nobody needs would make people waste one.
function Get-Token([hashtable] $Given, [string] $Config, [bool] $IsDry) {
    $line = Read-GivenToken $Given['Token'] $Given['TokenFile'] ([bool] $Given['TokenStdin'])
    if ($line -ne '' -or $IsDry) { return $line }
    if ([System.IO.File]::Exists($Config) -and -not $Given['Force']) { return '' }
    if ($Given['Yes']) {
        Stop-Installation Usage 'A pairing token is needed: -Token, -TokenFile or -TokenStdin.'
    }
    return ConvertTo-TokenLine (Read-HiddenToken)
}

# What is not fetched from the server has no hash in the manifest.
function Assert-Package([hashtable] $Given) {
    if (-not $Given['Package']) {
        if ($Given['Sha256']) { Stop-Installation Usage '-Sha256 needs -Package.' }
        return
    }
    if ($Given['Sha256'] -notmatch '^[0-9A-Fa-f]{64}$') {
        Stop-Installation Usage '-Package needs -Sha256, which has 64 hexadecimal digits.'
    }
}

function Assert-Administrator([hashtable] $Given, [bool] $IsDry) {
    if ($IsDry -or $Given['Status'] -or $Given['Prefix']) { return }
    if (Test-Administrator) { return }
    $sentence = 'This needs an elevated PowerShell: "Run as administrator". Or keep everything below a directory: -Prefix DIR'
    Stop-Installation NeedsAdministrator $sentence
}

# The agent's own temporary files, access lists among them, lie where nobody else changes them, too.
function Get-WorkEnvironment([string] $Work) { return @{ TEMP = $Work; TMP = $Work } }

# Installs, or brings an installation up to date; answers the exit status.
function Install-Agent([hashtable] $Given, [string] $Work, [bool] $IsDry) {
    $place = Get-InstalledPlace $Given['Prefix']
    $file = Join-Path $Work (Get-ProgramName)
    if ($Given['Package']) {
        Get-PackagedAgent $Given['Package'] $Given['Sha256'].ToLowerInvariant() $file
    } else {
        Get-ReleasedAgent $Given['Server'] $place.Program $file
    }
    $environment = (Get-ProxyEnvironment $Given['Server']) + (Get-WorkEnvironment $Work)
    Assert-Signed $Given $place.Program $file $environment
    Enable-Program $file
    Assert-Runs $file
    $token = Get-Token $Given $place.Config $IsDry
    $arguments = Get-InstallArguments $Given $IsDry ($token -ne '')
    return Invoke-Program $file $arguments $token $environment
}

# Removing and telling are done by the program that is installed. A copy of it: Windows deletes no
# program that runs.
function Use-InstalledAgent([hashtable] $Given, [string] $Work, [bool] $IsDry) {
    $place = Get-InstalledPlace $Given['Prefix']
    if (-not [System.IO.File]::Exists($place.Program)) {
        Write-Line "There is no agent at $($place.Program)."
        if ($Given['Uninstall']) { return $ExitStatus.Done }
        return $ExitStatus.Failed
    }
    $file = Join-Path $Work (Get-ProgramName)
    [System.IO.File]::Copy($place.Program, $file)
    if ($Given['Uninstall']) {
        $arguments = @('uninstall') + @(Get-SharedArguments $Given $IsDry @('KeepConfig'))
    } else {
        $arguments = @('status') + @(Get-SharedArguments $Given $false @())
    }
    return Invoke-Program $file $arguments -Environment (Get-WorkEnvironment $Work)
}

# Everything, from the parameters to the exit status.
function Invoke-Installer([hashtable] $Given, [bool] $IsDry) {
    if ($RportVersion -eq '') {
        Stop-Installation Failed 'This is the template. The one to use is made by a build.'
    }
    Assert-KnownLetter $Given
    $isInstalling = -not ($Given['Status'] -or $Given['Uninstall'])
    if ($isInstalling) { Assert-Server $Given['Server'] }
    if ($Given['Pairing']) { Assert-Server $Given['Pairing'] '-Pairing' }
    Assert-Package $Given
    if ($Given['Prefix']) { $Given['Prefix'] = Get-FullPath $Given['Prefix'] }
    Assert-Administrator $Given $IsDry
    Assert-OwnPrefix $Given
    Enable-Tls12
    $work = New-WorkDirectory (Test-Elevated)
    try {
        if ($isInstalling) { return Install-Agent $Given $work $IsDry }
        return Use-InstalledAgent $Given $work $IsDry
    } finally {
        Remove-WorkDirectory $work
    }
}
