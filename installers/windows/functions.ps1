# The functions of install.ps1. Loading this file does nothing else: tests load it alone.
Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'

# Exit status, here and in the agent. 4, 8 and 9 only come from the agent.
$ExitStatus = @{
    Done = 0; Failed = 1; Usage = 2; Unsupported = 3; Network = 5; Checksum = 6; NeedsAdministrator = 7
}

# Tries of a download, and how long each may stall.
$Tries = 3
$ConnectMilliseconds = 10000
$StallMilliseconds = 30000
# A server that serves many others first (status 503) is asked again so often, after so long.
$BusyTries = 60
$BusySeconds = 5

# What a person reads; not the output of a command.
function Write-Line([string] $Text) { Write-Host $Text }

# Ends the installation with a sentence and an exit status.
function Stop-Installation([string] $Kind, [string] $Sentence) {
    $failure = New-Object System.Exception $Sentence
    $failure.Data['ExitStatus'] = $ExitStatus[$Kind]
    throw $failure
}

# The exit status of what went wrong; 1 for what nobody expected.
function Get-ExitStatus([System.Exception] $Failure) {
    if ($Failure.Data.Contains('ExitStatus')) { return $Failure.Data['ExitStatus'] }
    return $ExitStatus.Failed
}

# Refuses RPort's letters, and options of other systems, for what this agent does not have here.
function Assert-KnownLetter([hashtable] $Given) {
    $refused = @{
        x = '-x: this agent runs no commands and no scripts. It has tunnels only.'
        t = '-t: there is no unstable channel. The server decides which release it serves.'
        i = '-i: this agent does not bring tacoscript. Install it yourself.'
        r = '-r: this agent receives no files. It has tunnels only.'
        User = '-User: on Windows the agent runs under an account that Windows keeps for its service alone.'
        d = '-d: the configuration is not printed. To install and start nothing, use -NoStart.'
    }
    foreach ($letter in ($refused.Keys | Sort-Object)) {
        if ($Given.ContainsKey($letter) -and $Given[$letter]) {
            Stop-Installation Usage $refused[$letter]
        }
    }
}

# Refuses an address that is none.
function Assert-Server([string] $Address, [string] $Parameter = '-Server') {
    if ($Address -eq '') { Stop-Installation Usage "$Parameter is missing. Try: Get-Help .\install.ps1 -Full" }
    if ($Address -notmatch '^https?://\S+$' -or $Address -match '[\x00-\x20\x7f]') {
        Stop-Installation Usage "$Parameter must begin with http:// or https://, and has no blanks in it."
    }
}

# Finds the file for a target in the manifest: an object with Size, Sha256, Name and, where there is a
# compressed copy, Packed; or nothing.
function Find-ManifestFile([string] $Manifest, [string] $Target) {
    foreach ($line in ($Manifest -split "`n")) {
        $words = $line.Trim() -split ' '
        if ($words[0] -ceq $Target) {
            return New-Object PSObject -Property @{
                Size = [long] $words[1]; Sha256 = $words[2]; Name = $words[3]
                Packed = ($words + @(''))[4]
            }
        }
    }
}

# The processor of the machine, also where this PowerShell runs in another one's clothes.
function Get-Processor {
    $key = 'HKLM:\SYSTEM\CurrentControlSet\Control\Session Manager\Environment'
    $found = Get-ItemProperty -Path $key -Name PROCESSOR_ARCHITECTURE -ErrorAction SilentlyContinue
    if ($null -ne $found) { return $found.PROCESSOR_ARCHITECTURE }
    return $env:PROCESSOR_ARCHITECTURE
}

# The targets whose executable runs on a processor, the best one first.
function Get-TargetOrder([string] $Processor) {
    switch ($Processor) {
        'AMD64' { return @('windows-x64') }
        'ARM64' { return @('windows-arm64', 'windows-x64') }
        default {
            Stop-Installation Unsupported "There is no agent for this machine ($Processor): it needs x64 or arm64."
        }
    }
}

# The file of the manifest that this machine runs.
function Select-ManifestFile([string] $Manifest) {
    $processor = Get-Processor
    foreach ($target in @(Get-TargetOrder $processor)) {
        $file = Find-ManifestFile $Manifest $target
        if ($null -ne $file) { return $file }
    }
    Stop-Installation Unsupported "This server has no agent for Windows on $processor."
}

# Whether this PowerShell may change the whole machine.
function Test-Administrator {
    $identity = [System.Security.Principal.WindowsIdentity]::GetCurrent()
    $principal = New-Object System.Security.Principal.WindowsPrincipal $identity
    return $principal.IsInRole([System.Security.Principal.WindowsBuiltInRole]::Administrator)
}

# Old systems would speak TLS 1.0; what is allowed already stays allowed.
function Enable-Tls12 {
    $protocols = [System.Net.ServicePointManager]::SecurityProtocol
    [System.Net.ServicePointManager]::SecurityProtocol = $protocols -bor 3072
}

# The system's proxy on the way to an address; empty: there is none.
function Get-SystemProxy([uri] $Address) {
    $proxy = [System.Net.WebRequest]::DefaultWebProxy
    if ($null -eq $proxy -or $proxy.IsBypassed($Address)) { return '' }
    $found = $proxy.GetProxy($Address)
    if ($null -eq $found -or $found -eq $Address) { return '' }
    return $found.AbsoluteUri
}

# One request, through the system's proxy and as the user who is signed in to it.
function Open-Download([string] $Address) {
    $request = [System.Net.WebRequest]::Create($Address)
    $request.Timeout = $ConnectMilliseconds
    $request.ReadWriteTimeout = $StallMilliseconds
    $proxy = $request.Proxy
    if ($null -ne $proxy -and $null -eq $proxy.Credentials) {
        $proxy.Credentials = [System.Net.CredentialCache]::DefaultCredentials
    }
    return $request.GetResponse()
}

# Writes at most so many bytes of a stream to a file, and one more if there are: then it is too long.
function Save-Stream([System.IO.Stream] $From, [string] $File, [long] $Size) {
    $to = [System.IO.File]::Create($File)
    try {
        $buffer = New-Object byte[] 65536
        $left = $Size + 1
        while ($left -gt 0) {
            $count = $From.Read($buffer, 0, [int] [Math]::Min($buffer.Length, $left))
            if ($count -eq 0) { break }
            $to.Write($buffer, 0, $count)
            $left -= $count
        }
    } finally {
        $to.Dispose()
    }
}

# Fetches an address once; what ends with .gz is unpacked. What began with https does not end without it.
function Save-DownloadOnce([string] $Address, [string] $File, [long] $Size) {
    $response = Open-Download $Address
    try {
        if (([uri] $Address).Scheme -eq 'https' -and $response.ResponseUri.Scheme -ne 'https') {
            Stop-Installation Network "$Address leads to an address without https."
        }
        $stream = $response.GetResponseStream()
        if ($Address.EndsWith('.gz')) {
            $stream = New-Object System.IO.Compression.GZipStream ($stream, [System.IO.Compression.CompressionMode]::Decompress)
        }
        try { Save-Stream $stream $File $Size } finally { $stream.Dispose() }
    } finally {
        $response.Close()
    }
}

# Whether a server said 503: many others fetch at the moment.
function Test-Busy([System.Exception] $Failure) {
    $web = $Failure.GetBaseException()
    for ($each = $Failure; $null -ne $each; $each = $each.InnerException) {
        if ($each -is [System.Net.WebException]) { $web = $each }
    }
    if ($web -isnot [System.Net.WebException] -or $null -eq $web.Response) { return $false }
    return [int] $web.Response.StatusCode -eq 503
}

# Fetches an address into a file, and tries again where that may help.
function Save-Download([string] $Address, [string] $File, [long] $Size) {
    $try = 1
    $busy = 0
    while ($true) {
        try {
            Save-DownloadOnce $Address $File $Size
            return
        } catch {
            $failure = $_.Exception
            if ($failure.Data.Contains('ExitStatus')) { throw }
            if ((Test-Busy $failure) -and $busy -lt $BusyTries) {
                if ($busy -eq 0) { Write-Line 'The server is busy; waiting for a turn.' }
                $busy += 1
                Start-Sleep -Seconds $BusySeconds
                continue
            }
            $words = $failure.GetBaseException().Message
            if ($try -ge $Tries) { Stop-Installation Network "Could not fetch ${Address}: $words" }
            Write-Verbose "Trying again to fetch ${Address}: $words"
            Start-Sleep -Seconds $try
            $try += 1
        }
    }
}

# The SHA-256 of a file, in lower-case hexadecimal digits.
function Get-Sha256([string] $File) {
    $hasher = [System.Security.Cryptography.SHA256]::Create()
    $stream = [System.IO.File]::OpenRead($File)
    try {
        return [BitConverter]::ToString($hasher.ComputeHash($stream)).Replace('-', '').ToLowerInvariant()
    } finally {
        $stream.Dispose()
        $hasher.Dispose()
    }
}

# Nothing is run before its size and its hash are right. A size of 0 means that nobody knows it.
function Assert-RightFile([string] $File, [string] $Name, [long] $Size, [string] $Sha256) {
    $found = (New-Object System.IO.FileInfo $File).Length
    if ($Size -ne 0 -and $found -ne $Size) {
        Stop-Installation Checksum "$Name has $found bytes and should have $Size."
    }
    if ((Get-Sha256 $File) -cne $Sha256) {
        Stop-Installation Checksum "$Name is not the file it should be."
    }
}

# One word of a command line, as programs of Windows take it apart.
function ConvertTo-Argument([string] $Text) {
    if ($Text -ne '' -and $Text -notmatch '[\s"]') { return $Text }
    $escaped = [regex]::Replace($Text, '(\\*)"', '$1$1\"')
    $escaped = [regex]::Replace($escaped, '(\\+)$', '$1$1')
    return '"' + $escaped + '"'
}

# A folder of Windows, by what Windows says of it: the environment may be the user's own. Empty elsewhere.
function Get-WindowsFolder([string] $Name) { return [Environment]::GetFolderPath($Name) }

# A private directory for what is fetched. Of administrators, and in a folder of theirs, so that nobody else
# changes what they run, puts it aside, or was in it before its access was cut off.
function New-WorkDirectory([bool] $IsAdministrator) {
    $name = 'rport-' + [guid]::NewGuid().ToString('N')
    $parent = ''
    if ($IsAdministrator) { $parent = Get-WindowsFolder 'ProgramFiles' }
    if ($parent -eq '') { $parent = [System.IO.Path]::GetTempPath() }
    $path = Join-Path $parent $name
    [void] [System.IO.Directory]::CreateDirectory($path)
    if (-not $IsAdministrator) { return $path }
    $grants = @('*S-1-5-18:(OI)(CI)F', '*S-1-5-32-544:(OI)(CI)F')
    try {
        $icacls = [System.IO.Path]::Combine((Get-WindowsFolder 'System'), 'icacls.exe')
        Invoke-Quietly $icacls (@($path, '/inheritance:r', '/grant:r') + $grants)
    } catch {
        Remove-WorkDirectory $path
        throw
    }
    return $path
}

# Removes what was fetched. A program that just ended may be held for a moment.
function Remove-WorkDirectory([string] $Path) {
    for ($try = 1; $try -le 10; $try += 1) {
        try {
            [System.IO.Directory]::Delete($Path, $true)
            return
        } catch [System.IO.DirectoryNotFoundException] {
            return
        } catch {
            Write-Verbose "Trying again to remove ${Path}: $($_.Exception.Message)"
            Start-Sleep -Milliseconds 200
        }
    }
    Write-Line "This could not be removed: $Path"
}

# The environment of programs: nothing that makes the runtime load or report something else.
function Set-ProgramEnvironment($Variables, [hashtable] $More) {
    foreach ($name in @('BUN_OPTIONS', 'BUN_BE_BUN', 'NODE_OPTIONS')) { $Variables.Remove($name) }
    $Variables['DO_NOT_TRACK'] = '1'
    $Variables['BUN_ENABLE_CRASH_REPORTING'] = '0'
    foreach ($name in $More.Keys) { $Variables[$name] = $More[$name] }
}

# The proxies that a program shall use, as the environment of Unix names them; the user's own stay.
function Get-ProxyEnvironment([string] $Address) {
    foreach ($name in @('HTTPS_PROXY', 'HTTP_PROXY', 'ALL_PROXY')) {
        if ([Environment]::GetEnvironmentVariable($name) -or
            [Environment]::GetEnvironmentVariable($name.ToLowerInvariant())) { return @{} }
    }
    $proxy = Get-SystemProxy $Address
    if ($proxy -eq '') { return @{} }
    return @{ HTTPS_PROXY = $proxy; HTTP_PROXY = $proxy }
}

# Runs a program with this text as its standard input, and shows what it prints, or collects it;
# answers its exit status.
function Invoke-Program {
    param(
        [string] $File, [string[]] $Arguments, [string] $InputText = '',
        [hashtable] $Environment = @{}, [System.Collections.ArrayList] $Into
    )
    $start = New-Object System.Diagnostics.ProcessStartInfo
    $start.FileName = $File
    $start.Arguments = @($Arguments | ForEach-Object { ConvertTo-Argument $_ }) -join ' '
    $start.UseShellExecute = $false
    $start.RedirectStandardInput = $true
    $start.RedirectStandardOutput = $true
    $start.RedirectStandardError = $true
    $start.StandardOutputEncoding = [System.Text.Encoding]::UTF8
    $start.StandardErrorEncoding = [System.Text.Encoding]::UTF8
    Set-ProgramEnvironment $start.EnvironmentVariables $Environment
    $process = [System.Diagnostics.Process]::Start($start)
    try {
        $errors = $process.StandardError.ReadToEndAsync()
        Send-Input $process $InputText
        while ($null -ne ($line = $process.StandardOutput.ReadLine())) {
            if ($null -eq $Into) { Write-Line $line } else { [void] $Into.Add($line) }
        }
        $process.WaitForExit()
        $said = $errors.Result.TrimEnd()
        if ($said -ne '') {
            if ($null -eq $Into) { Write-Line $said } else { [void] $Into.Add($said) }
        }
        return $process.ExitCode
    } finally {
        $process.Dispose()
    }
}

# Runs a program of the system that has to succeed.
function Invoke-Quietly([string] $File, [string[]] $Arguments) {
    $said = New-Object System.Collections.ArrayList
    $code = Invoke-Program $File $Arguments -Into $said
    if ($code -ne 0) { Stop-Installation Failed "$File ended with status ${code}: $($said -join ' ')" }
}

# Bytes, because the stream's own writer may put a byte order mark in front.
function Send-Input([System.Diagnostics.Process] $Process, [string] $Text) {
    $bytes = [System.Text.Encoding]::ASCII.GetBytes($Text)
    try {
        $Process.StandardInput.BaseStream.Write($bytes, 0, $bytes.Length)
        $Process.StandardInput.Close()
    } catch [System.IO.IOException] {
        Write-Verbose "The program did not read its input: $($_.Exception.Message)"
    }
}

# An absolute path, from where the caller is: .NET has a current directory of its own.
function Get-FullPath([string] $Path) {
    return $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($Path)
}

# The text of a token, wherever it comes from; refuses what is no token, and does not repeat it.
function ConvertTo-TokenLine([string] $Text) {
    $token = $Text.Trim([char[]] @(0xfeff, 32, 9, 13, 10))
    if ($token -notmatch '^[A-Za-z0-9-]+$' -or $token.StartsWith('-')) {
        Stop-Installation Usage 'The pairing token has 26 letters and digits.'
    }
    return "$token`n"
}

# Asks for the token without showing it.
function Read-HiddenToken {
    $secure = Read-Host -Prompt 'Pairing token' -AsSecureString
    $pointer = [System.Runtime.InteropServices.Marshal]::SecureStringToBSTR($secure)
    try {
        return [System.Runtime.InteropServices.Marshal]::PtrToStringBSTR($pointer)
    } finally {
        [System.Runtime.InteropServices.Marshal]::ZeroFreeBSTR($pointer)
    }
}

# Reads the token from where the parameters say; nothing when nobody named a place.
function Read-GivenToken([string] $Token, [string] $TokenFile, [bool] $IsStdin) {
    $places = @(@(($Token -ne ''), ($TokenFile -ne ''), $IsStdin) | Where-Object { $_ }).Count
    if ($places -gt 1) { Stop-Installation Usage 'Only one of -Token, -TokenFile and -TokenStdin.' }
    if ($Token -ne '') { return ConvertTo-TokenLine $Token }
    if ($IsStdin) { return ConvertTo-TokenLine ('' + [Console]::In.ReadLine()) }
    if ($TokenFile -eq '') { return '' }
    $file = Get-FullPath $TokenFile
    if (-not [System.IO.File]::Exists($file)) { Stop-Installation Usage '-TokenFile cannot be read.' }
    if ((New-Object System.IO.FileInfo $file).Length -gt 1024) {
        Stop-Installation Usage '-TokenFile does not hold a pairing token.'
    }
    return ConvertTo-TokenLine ([System.IO.File]::ReadAllText($file))
}

# The name that programs have on this system.
function Get-ProgramName {
    if ([System.IO.Path]::DirectorySeparatorChar -eq '\') { return 'rport-agent.exe' }
    return 'rport-agent'
}

# Where the installed program and its configuration are.
function Get-InstalledPlace([string] $Prefix) {
    if ($Prefix -ne '') {
        return New-Object PSObject -Property @{
            Program = Join-Path (Join-Path $Prefix 'bin') (Get-ProgramName)
            Config = Join-Path $Prefix 'rport.conf'
        }
    }
    return New-Object PSObject -Property @{
        Program = Join-Path (Join-Path $env:ProgramFiles 'rport-agent') (Get-ProgramName)
        Config = Join-Path (Join-Path $env:ProgramData 'rport') 'rport.conf'
    }
}
